// SPDX-License-Identifier: MIT
// Eigenvectors by subspace iteration with Chebyshev filters (Zhou, Saad et al., J. Comput. Phys. 2006): the
// products with the graph run as kernels on the device, a few columns at once; orthonormalisation and the
// projected problem, n b^2 operations in f64 once a filter, on the host.
#include "cluster/spectral_layout.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/pca.h"
#include "kernels/launch.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t wanted = 2, block = 8;  ///< eigenvectors asked for, and iterated on
constexpr std::int64_t dense_rows = 64;        ///< graphs up to this size are decomposed as a whole
constexpr double tolerance = 1e-4;
constexpr int most_filters = 60, most_degree = 60;
/// A filter may lift the largest eigenvector above the others by this many powers of e: in f32 more would
/// drown them.
constexpr double filter_range = 8;

/// The graph on the host.
struct HostGraph {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> columns;
  std::vector<float> values;
  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::size_t begin(std::int64_t i) const {
    return static_cast<std::size_t>(offsets[static_cast<std::size_t>(i)]);
  }
  std::size_t end(std::int64_t i) const { return begin(i + 1); }

  /// 1 / sqrt of the row sums.
  std::vector<double> scale() const {
    std::vector<double> result(static_cast<std::size_t>(rows()));
    for (std::int64_t i = 0; i < rows(); ++i) {
      double sum = 0;
      for (std::size_t e = begin(i); e < end(i); ++e) sum += static_cast<double>(values[e]);
      result[static_cast<std::size_t>(i)] = sum > 0 ? 1 / std::sqrt(sum) : 0;
    }
    return result;
  }
};

Eigen::VectorXd unit(Eigen::VectorXd v) {
  Eigen::Index largest = 0;
  v.cwiseAbs().maxCoeff(&largest);
  return v / (v[largest] < 0 ? -v.norm() : v.norm());
}

Matrix dense_eigenvectors(const HostGraph& graph) {
  const std::int64_t n = graph.rows();
  const std::vector<double> scale = graph.scale();
  Eigen::MatrixXd similarity = Eigen::MatrixXd::Zero(n, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::size_t e = graph.begin(i); e < graph.end(i); ++e) {
      const auto j = static_cast<std::size_t>(graph.columns[e]);
      similarity(i, graph.columns[e]) =
          scale[static_cast<std::size_t>(i)] * static_cast<double>(graph.values[e]) * scale[j];
    }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(similarity);
  Matrix found(n, wanted);
  for (std::int64_t c = 0; c < wanted; ++c) found.col(c) = unit(solver.eigenvectors().col(n - 2 - c));
  return found;
}

/// The eigenvectors of the largest eigenvalues of A = S W S but the very largest, which is known: the square
/// roots of the row sums, at eigenvalue 1.
class ChebyshevIteration {
 public:
  ChebyshevIteration(const HostGraph& graph, std::uint64_t seed)
      : n_(graph.rows()),
        offsets_(Tensor::from_host(graph.offsets, {n_ + 1})),
        columns_(Tensor::from_host(graph.columns, {static_cast<std::int64_t>(graph.columns.size())})),
        values_(Tensor::from_host(graph.values, {static_cast<std::int64_t>(graph.values.size())})),
        known_(n_),
        basis_(n_, block) {
    const std::vector<double> scale = graph.scale();
    scale_ = Tensor::from_host(std::vector<float>(scale.begin(), scale.end()), {n_});
    for (std::int64_t i = 0; i < n_; ++i) {
      const double s = scale[static_cast<std::size_t>(i)];
      known_[i] = s > 0 ? 1 / s : 0;
    }
    known_.normalize();
    for (std::int64_t i = 0; i < n_; ++i)
      for (int half = 0; half < block / 4; ++half) {
        float four[4];
        philox::normals(philox::block(seed, 0, 1, static_cast<std::uint64_t>(i * (block / 4) + half)), four);
        for (int c = 0; c < 4; ++c) basis_(i, 4 * half + c) = static_cast<double>(four[c]);
      }
  }

  Matrix run() {
    Eigen::VectorXd eigenvalues;
    double residual = std::numeric_limits<double>::infinity();
    for (int round = 0; round < most_filters && residual > tolerance; ++round) {
      if (round > 0) filter(eigenvalues[0]);
      orthonormalize();
      const Matrix image = to_host(apply(upload(basis_)));
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(basis_.transpose() * image);
      eigenvalues = solver.eigenvalues();
      const Matrix rotated = image * solver.eigenvectors();
      basis_ = basis_ * solver.eigenvectors();
      residual = 0;
      for (std::int64_t c = block - wanted; c < block; ++c)
        residual = std::max(residual, (rotated.col(c) - eigenvalues[c] * basis_.col(c)).norm());
    }
    Matrix found(n_, wanted);
    for (std::int64_t c = 0; c < wanted; ++c) found.col(c) = unit(basis_.col(block - 1 - c));
    return found;
  }

 private:
  static Tensor upload(const Matrix& m) {
    std::vector<float> values(static_cast<std::size_t>(m.size()));
    for (std::int64_t i = 0; i < m.size(); ++i)
      values[static_cast<std::size_t>(i)] = static_cast<float>(m.data()[i]);
    return Tensor::from_host(values, {m.rows(), m.cols()});
  }
  static Matrix to_host(const Tensor& t) {
    const std::vector<float> values = t.to_host<float>();
    return Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
               values.data(), t.dim(0), t.dim(1))
        .cast<double>();
  }

  Tensor product(const Tensor& x, const Tensor& previous, double alpha, double beta, double gamma) const {
    const Tensor y(x.shape(), DType::f32);
    kernel::graph_product(current_context(), offsets_, columns_, values_, scale_, x, previous,
                          static_cast<float>(alpha), static_cast<float>(beta), static_cast<float>(gamma), y);
    return y;
  }
  Tensor apply(const Tensor& x) const { return product(x, x, 1, 0, 0); }

  /// Chebyshev polynomials grow outside of [-1, 1]: with [-1, cut] mapped there, what lies above cut grows.
  void filter(double cut) {
    const double middle = (cut - 1) / 2, half = (cut + 1) / 2, top = (1 - middle) / half;
    const int degree = static_cast<int>(std::clamp(filter_range / std::acosh(std::max(top, 1 + 1e-6)), 2.0,
                                                   static_cast<double>(most_degree)));
    Tensor previous = upload(basis_), current = product(previous, previous, 1 / half, -middle / half, 0);
    for (int k = 1; k < degree; ++k) {
      Tensor next = product(current, previous, 2 / half, -2 * middle / half, -1);
      previous = current;
      current = next;
    }
    basis_ = to_host(current);
  }

  void orthonormalize() {
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t c = block - 1; c >= 0; --c) {
        basis_.col(c) -= known_.dot(basis_.col(c)) * known_;
        for (std::int64_t other = c + 1; other < block; ++other)
          basis_.col(c) -= basis_.col(other).dot(basis_.col(c)) * basis_.col(other);
        basis_.col(c).normalize();
      }
  }

  std::int64_t n_;
  Tensor offsets_, columns_, values_, scale_;
  Eigen::VectorXd known_;
  Matrix basis_;  ///< columns by ascending eigenvalue
};

Matrix eigenvectors(const HostGraph& graph, std::uint64_t seed) {
  return graph.rows() <= dense_rows ? dense_eigenvectors(graph) : ChebyshevIteration(graph, seed).run();
}

/// The part of every point, numbered by their first points.
std::vector<std::int64_t> find_parts(const HostGraph& graph, std::int64_t& count) {
  std::vector<std::int64_t> part(static_cast<std::size_t>(graph.rows()), -1), open;
  count = 0;
  for (std::int64_t start = 0; start < graph.rows(); ++start) {
    if (part[static_cast<std::size_t>(start)] >= 0) continue;
    open.push_back(start);
    part[static_cast<std::size_t>(start)] = count;
    while (!open.empty()) {
      const std::int64_t i = open.back();
      open.pop_back();
      for (std::size_t e = graph.begin(i); e < graph.end(i); ++e) {
        std::int64_t& other = part[static_cast<std::size_t>(graph.columns[e])];
        if (other >= 0 || !(graph.values[e] > 0)) continue;
        other = count;
        open.push_back(graph.columns[e]);
      }
    }
    ++count;
  }
  return part;
}

HostGraph subgraph(const HostGraph& graph, const std::vector<std::int64_t>& points,
                   const std::vector<std::int64_t>& place) {
  HostGraph result;
  result.offsets.push_back(0);
  for (const std::int64_t i : points) {
    for (std::size_t e = graph.begin(i); e < graph.end(i); ++e) {
      if (!(graph.values[e] > 0)) continue;  // which may lead to another part
      result.columns.push_back(static_cast<std::int32_t>(place[static_cast<std::size_t>(graph.columns[e])]));
      result.values.push_back(graph.values[e]);
    }
    result.offsets.push_back(static_cast<std::int64_t>(result.columns.size()));
  }
  return result;
}

/// Where the parts go: at the ends of the axes if they are at most four, else where the first principal
/// components of their middles are; largest coordinate 1.
Matrix part_positions(const Tensor& x, const std::vector<std::int64_t>& part, std::int64_t count,
                      const std::string& name) {
  Matrix at = Matrix::Zero(count, 2);
  if (count <= 4) {
    const double ends[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    for (std::int64_t c = 0; c < count; ++c) at.row(c) << ends[c][0], ends[c][1];
    return at;
  }
  PcaOptions options;
  options.n_components = std::min<std::int64_t>(2, x.dim(1));
  const Matrix coordinates = [&] {
    const Tensor t = pca(x, options, name).transform(x, name);
    const std::vector<float> values = t.to_host<float>();
    Matrix m(t.dim(0), t.dim(1));
    for (std::int64_t i = 0; i < m.size(); ++i)
      m.data()[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
    return m;
  }();
  std::vector<double> points(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < coordinates.rows(); ++i) {
    const std::int64_t c = part[static_cast<std::size_t>(i)];
    at.row(c).head(coordinates.cols()) += coordinates.row(i);
    points[static_cast<std::size_t>(c)] += 1;
  }
  for (std::int64_t c = 0; c < count; ++c) at.row(c) /= points[static_cast<std::size_t>(c)];
  const double largest = at.cwiseAbs().maxCoeff();
  return largest > 0 ? Matrix(at / largest) : at;
}

/// Half the distance to the nearest other part.
double part_room(const Matrix& positions, std::int64_t c) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::int64_t other = 0; other < positions.rows(); ++other) {
    const double distance = (positions.row(c) - positions.row(other)).norm();
    if (distance > 0) nearest = std::min(nearest, distance);
  }
  return std::isinf(nearest) ? 0.5 : nearest / 2;
}

}  // namespace

std::vector<double> spectral_layout(const Graph& device_graph, const Tensor& x, std::uint64_t seed,
                                    const std::string& name) {
  const HostGraph graph{device_graph.offsets.to_host<std::int64_t>(),
                        device_graph.columns.to_host<std::int32_t>(), device_graph.values.to_host<float>()};
  const std::int64_t n = graph.rows();
  std::int64_t count = 0;
  const std::vector<std::int64_t> part = find_parts(graph, count);
  std::vector<double> result(static_cast<std::size_t>(2 * n));
  if (count == 1 && n > wanted) {
    const Matrix found = eigenvectors(graph, seed);
    std::copy_n(found.data(), 2 * n, result.data());
    return result;
  }
  std::vector<std::vector<std::int64_t>> points(static_cast<std::size_t>(count));
  std::vector<std::int64_t> place(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    auto& own = points[static_cast<std::size_t>(part[static_cast<std::size_t>(i)])];
    place[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(own.size());
    own.push_back(i);
  }
  const Matrix positions = part_positions(x, part, count, name);
  for (std::int64_t c = 0; c < count; ++c) {
    const auto& own = points[static_cast<std::size_t>(c)];
    const double room = part_room(positions, c);
    Matrix local(static_cast<std::int64_t>(own.size()), 2);
    if (own.size() >= 4) {
      local = eigenvectors(subgraph(graph, own, place), seed);
      local *= room / std::max(local.cwiseAbs().maxCoeff(), 1e-30);
    } else {  // too few for eigenvectors: anywhere around the middle
      for (std::int64_t i = 0; i < local.size(); ++i)
        local.data()[i] =
            room * (2 * static_cast<double>(philox::uniform(philox::word(
                            seed, 0, 2,
                            static_cast<std::uint64_t>(2 * own[static_cast<std::size_t>(i / 2)] + i % 2)))) -
                    1);
    }
    for (std::size_t i = 0; i < own.size(); ++i)
      for (std::int64_t a = 0; a < 2; ++a)
        result[static_cast<std::size_t>(2 * own[i] + a)] =
            positions(c, a) + local(static_cast<std::int64_t>(i), a);
  }
  return result;
}

}  // namespace chorale::cluster
