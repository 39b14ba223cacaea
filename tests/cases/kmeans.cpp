// SPDX-License-Identifier: MIT
// The kernels of k-means, against their definitions in f64.
#include <algorithm>
#include <cmath>

#include "kernels/launch.h"
#include "kernels/philox.h"
#include "tests/cases/cluster_case.h"

namespace chorale::harness {
namespace {

using namespace clustering;

Tensor all_restarts(Index r) {
  std::vector<std::int32_t> list;
  for (Index i = 0; i < r; ++i) list.push_back(static_cast<std::int32_t>(i));
  return Tensor::from_host(list, {r});
}

OpCase kmeans_seed(bool with_closest, bool with_weights = false) {
  OpCase c = cluster_case(with_weights   ? "kmeans_seed_weighted"
                          : with_closest ? "kmeans_seed"
                                         : "kmeans_seed_first");
  for (const auto& [n, d] : sizes) {
    constexpr Index r = 3;
    const Index trials = with_closest ? 25 : 1;
    c.variants.push_back({"rows_" + std::to_string(n),
                          {real({n, d}), integers({r * trials}, 0, static_cast<double>(n - 1)),
                           real({r, n}, 0, 2.0 * static_cast<double>(d)), real({n}, 0, 3)}});
  }
  c.run = [=](const Run& run) {
    const Tensor &x = run.tensor(0), candidates = run.tensor(1).to(DType::i32);
    const Index n = x.dim(0), blocks = (n + kmeans_block - 1) / kmeans_block;
    const Tensor distances({candidates.size(), n}, DType::f32), sums({candidates.size(), blocks}, DType::f64);
    kernel::kmeans_seed(current_context(), x, squared_norms(x),
                        with_weights ? ConstView(run.tensor(3)) : ConstView(), candidates,
                        with_closest ? ConstView(run.tensor(2)) : ConstView(), distances, sums);
    return vars({distances, sums});
  };
  c.scaled = true;
  c.reference = [=](const Arrays& x) {
    const Index n = x[0].dim(0), columns = x[1].size(), trials = columns / x[2].dim(0);
    const Index blocks = (n + kmeans_block - 1) / kmeans_block;
    Array distances({columns, n}), sums({columns, blocks});
    for (Index column = 0; column < columns; ++column)
      for (Index i = 0; i < n; ++i) {
        double value = square_distance(x[0], i, x[0], static_cast<Index>(x[1][column]));
        if (with_weights) value *= x[3][i];
        if (with_closest) value = std::min(value, x[2][column / trials * n + i]);
        distances[column * n + i] = value;
        sums[column * blocks + i / kmeans_block] += value;
      }
    return Arrays{distances, sums};
  };
  return c;
}

OpCase kmeans_seed_choose() {
  OpCase c = cluster_case("kmeans_seed_choose");
  static constexpr Index r = 3, trials = 4, k = 5, step = 2, draws = 6;
  static constexpr std::uint64_t seed = 77;
  for (const auto& [n, d] : sizes)
    c.variants.push_back({"rows_" + std::to_string(n),
                          {real({n, d}), integers({r * trials}, 0, static_cast<double>(n - 1)),
                           real({r * trials, n}, 0, 3), real({r, k, d})}});
  const auto block_sums = [](Index n, const auto& distances) {
    const Index blocks = (n + kmeans_block - 1) / kmeans_block;
    std::vector<double> sums(static_cast<std::size_t>(r * trials * blocks));
    for (Index i = 0; i < r * trials * n; ++i)
      sums[static_cast<std::size_t>(i / n * blocks + i % n / kmeans_block)] += distances(i);
    return sums;
  };
  c.run = [block_sums](const Run& run) {
    const Tensor& x = run.tensor(0);
    const Index n = x.dim(0);
    const std::vector<float> distances = run.tensor(2).to_host<float>();
    const std::vector<double> sums =
        block_sums(n, [&](Index i) { return static_cast<double>(distances[static_cast<std::size_t>(i)]); });
    const Tensor centers = run.tensor(3).clone(), closest({r, n}, DType::f32), next({r * draws}, DType::i32);
    kernel::kmeans_seed_choose(
        current_context(), x, run.tensor(1).to(DType::i32), run.tensor(2),
        Tensor::from_host(sums, {r * trials, static_cast<Index>(sums.size()) / (r * trials)}), seed, step,
        centers, closest, next);
    return vars({centers, closest, next});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array centers = x[3], closest({r, n}), next({r * draws});
    for (Index restart = 0; restart < r; ++restart) {
      Index best = 0;
      double lowest = 0;
      for (Index t = 0; t < trials; ++t) {
        double potential = 0;
        for (Index i = 0; i < n; ++i) potential += x[2][(restart * trials + t) * n + i];
        if (t == 0 || potential < lowest) {
          lowest = potential;
          best = restart * trials + t;
        }
      }
      for (Index j = 0; j < d; ++j)
        centers[(restart * k + step) * d + j] = x[0][static_cast<Index>(x[1][best]) * d + j];
      for (Index i = 0; i < n; ++i) closest[restart * n + i] = x[2][best * n + i];
      for (Index draw = 0; draw < draws; ++draw) {
        const philox::Block word =
            philox::block(seed, static_cast<std::uint64_t>(step + 1), static_cast<std::uint32_t>(restart),
                          static_cast<std::uint64_t>(draw));
        const double uniform = (word.word[0] * 0x1p21 + (word.word[1] >> 11)) * 0x1p-53;
        double below = 0;
        Index point = 0;
        for (; point < n - 1; ++point) {
          below += closest[restart * n + point];
          if (below > uniform * lowest) break;
        }
        next[restart * draws + draw] = static_cast<double>(point);
      }
    }
    return Arrays{centers, closest, next};
  };
  return c;
}

/// Labels of the listed restarts (others stay -5), and how many margins are wider than they are: none.
OpCase kmeans_assign(bool with_drift) {
  OpCase c = cluster_case(with_drift ? "kmeans_assign_drift" : "kmeans_assign");
  for (const auto& [n, d] : sizes)
    for (const Index k : {Index{1}, Index{7}, Index{70}})
      c.variants.push_back({"rows_" + std::to_string(n) + "_clusters_" + std::to_string(k),
                            {real({n, d}), real({3, k, d}), real({3, k, d}, -0.05, 0.05)}});
  c.run = [with_drift](const Run& run) {
    const Tensor &x = run.tensor(0), norms = squared_norms(x);
    const Index n = x.dim(0), k = run.tensor(1).dim(1), d = x.dim(1);
    const Tensor restarts = Tensor::from_host(std::vector<std::int32_t>{2, 0}, {2});
    const Tensor labels = Tensor::full({3, n}, -5, DType::i32), margins({3, n}, DType::f32),
                 stamps({3, n}, DType::u8);
    const Tensor moved = run.tensor(1).clone();
    Tensor centers = moved;
    const auto assign = [&](ConstView drift, Index place) {
      kernel::kmeans_assign(current_context(), x, norms, restarts, centers, squared_norms(centers, 0.5),
                            drift, place, labels, margins, stamps);
    };
    kernel::accumulate(current_context(), run.tensor(2), moved);
    if (with_drift) {
      const Tensor history({3, 3, k, d}, DType::f32), largest = Tensor::full({3, 3}, -1),
                                                      drift({3, 3, k}, DType::f32);
      const auto remember = [&](Index place) {
        kernel::kmeans_drift(current_context(), restarts, centers, squared_norms(centers, 0.5), place,
                             history, largest, drift);
      };
      centers = run.tensor(1);
      remember(1);
      assign(ConstView(), 1);
      centers = moved;
      remember(2);
      assign(drift, 2);
    } else {
      assign(ConstView(), 2);
    }
    const Array points = to_array(x), at_end = to_array(moved), at_start = to_array(run.tensor(1)),
                found = to_array(labels), widths = to_array(margins), seen = to_array(stamps);
    Array wrong({1});
    for (const Index restart : {0, 2})
      for (Index i = 0; i < n; ++i) {
        const Index at = restart * n + i;
        const Array& then = seen[at] == 1 ? at_start : at_end;
        const auto distance = [&](Index cluster) {
          return std::sqrt(square_distance(points, i, then, restart * k + cluster));
        };
        const double nearest = distance(static_cast<Index>(found[at]));
        wrong[0] += seen[at] != 2 && !(with_drift && seen[at] == 1);
        for (Index cluster = 0; cluster < k; ++cluster)
          if (static_cast<Index>(found[at]) != cluster) wrong[0] += distance(cluster) - nearest < widths[at];
      }
    return vars({labels, to_device(wrong, DType::f64)});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), k = x[1].dim(1);
    Array moved = x[1], labels({3, n}, -5), wrong({1});
    for (Index i = 0; i < moved.size(); ++i) moved[i] = round_to(x[1][i] + x[2][i], DType::f32);
    for (const Index restart : {0, 2})
      for (Index i = 0; i < n; ++i) {
        double nearest = square_distance(x[0], i, moved, restart * k);
        labels[restart * n + i] = 0;
        for (Index cluster = 1; cluster < k; ++cluster) {
          const double distance = square_distance(x[0], i, moved, restart * k + cluster);
          if (distance >= nearest) continue;
          nearest = distance;
          labels[restart * n + i] = static_cast<double>(cluster);
        }
      }
    return Arrays{labels, wrong};
  };
  return c;
}

/// Centers of three assignments at places 2, 0 and 1 of four, in one restart the last twice as long: all that
/// is remembered then, and the drift, -1 where it is infinite.
OpCase kmeans_drift() {
  OpCase c = cluster_case("kmeans_drift");
  static constexpr Index places = 4;
  for (const Index k : {1, 2, 70})
    for (const Index d : {1, 9, 300}) {
      const Input centers = real({3, k, d}, 1, 1.5);
      c.variants.push_back({std::to_string(k) + "x" + std::to_string(d), {centers, centers, centers}});
    }
  c.scaled = true;
  c.run = [](const Run& run) {
    const Index k = run.tensor(0).dim(1), d = run.tensor(0).dim(2);
    const Tensor history = Tensor::zeros({3, places, k, d}), largest = Tensor::full({3, places}, -1),
                 drift = Tensor::zeros({3, places, k});
    const Tensor restarts = Tensor::from_host(std::vector<std::int32_t>{2, 0}, {2});
    Index step = 0;
    for (const Index place : {2, 0, 1}) {
      const Tensor centers = run.tensor(static_cast<std::size_t>(step)).clone();
      if (++step == 3) kernel::accumulate(current_context(), run.tensor(2)[2], centers[2]);
      kernel::kmeans_drift(current_context(), restarts, centers, squared_norms(centers, 0.5), place, history,
                           largest, drift);
    }
    std::vector<float> finite = drift.to_host<float>();
    for (float& value : finite)
      if (std::isinf(value)) value = -1;
    return vars({history, largest, Tensor::from_host(finite, drift.shape())});
  };
  c.reference = [](const Arrays& x) {
    const Index k = x[0].dim(1), d = x[0].dim(2);
    Array history({3, places, k, d}), largest({3, places}, -1), drift({3, places, k});
    Array last = x[2];
    for (Index i = 2 * k * d; i < last.size(); ++i) last[i] *= 2;
    const Array* const centers[places] = {&x[1], &last, &x[0], nullptr};
    for (const Index r : {0, 2}) {
      for (Index place = 0; place < places; ++place)
        for (Index i = 0; i < k && centers[place]; ++i) {
          double square = 0;
          for (Index j = 0; j < d; ++j) {
            const double value = (*centers[place])[(r * k + i) * d + j];
            history[((r * places + place) * k + i) * d + j] = value;
            square += value * value;
          }
          largest[r * places + place] = std::max(largest[r * places + place], square);
        }
      for (Index place = 0; place < places; ++place) {
        const Index at = r * places + place;
        const bool known = centers[place] && place != 1 && largest[r * places + 1] <= 2 * largest[at];
        const auto way = [&](Index i) {
          return std::sqrt(square_distance(last, r * k + i, *centers[place], r * k + i));
        };
        for (Index i = 0; i < k; ++i) {
          double farthest = 0;
          for (Index other = 0; other < k && known; ++other)
            if (other != i) farthest = std::max(farthest, way(other));
          drift[at * k + i] = known ? way(i) + farthest : -1;
        }
      }
    }
    return Arrays{history, largest, drift};
  };
  return c;
}

/// From no clusters to a first labelling and on to a second one: sums, counts and status as if counted anew.
OpCase kmeans_update() {
  OpCase c = cluster_case("kmeans_update");
  constexpr Index r = 3, k = 6;
  for (const auto& [n, d] : sizes)
    c.variants.push_back({"rows_" + std::to_string(n),
                          {real({n, d}), integers({r, n}, 0, k - 1), integers({r, n}, 0, k - 1)}});
  c.variants.push_back({"rows_30000",
                        {real({30000, 3}), integers({r, 30000}, 0, k - 1), integers({r, 30000}, 0, k - 1)},
                        true});
  c.scaled = true;
  c.run = [](const Run& run) {
    const Tensor &x = run.tensor(0), restarts = all_restarts(r);
    const Tensor accounted = Tensor::full(run.tensor(1).shape(), -1, DType::i32);
    const Tensor sums = Tensor::zeros({r, k, x.dim(1)}, DType::f64),
                 counts = Tensor::zeros({r, k}, DType::i64);
    const Tensor status = Tensor::zeros({r, 3}, DType::f64);
    for (const int labelling : {1, 2})
      kernel::kmeans_update(current_context(), x, restarts,
                            run.tensor(static_cast<std::size_t>(labelling)).to(DType::i32), accounted, sums,
                            counts, status);
    return vars({sums, counts, status, accounted});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array sums({r, k, d}), counts({r, k}), status({r, 3});
    for (Index i = 0; i < r * n; ++i) {
      const Index cluster = i / n * k + static_cast<Index>(x[2][i]);
      for (Index j = 0; j < d; ++j) sums[cluster * d + j] += x[0][i % n * d + j];
      counts[cluster] += 1;
      status[3 * (i / n)] += x[1][i] != x[2][i];
    }
    for (Index cluster = 0; cluster < r * k; ++cluster) status[3 * (cluster / k) + 1] += counts[cluster] == 0;
    return Arrays{sums, counts, status, x[2]};
  };
  return c;
}

OpCase kmeans_centers(const std::string& name, CenterParams params) {
  OpCase c = cluster_case(name);
  for (const Index d : {1, 9, 70}) {
    Input sums = real({4, 5, d}, -9, 9);
    sums.storage = Storage::f64;
    c.variants.push_back({"columns_" + std::to_string(d), {sums, integers({4, 5}, 0, 6), real({4, 5, d})}});
  }
  c.run = [params](const Run& run) {
    const Tensor centers = run.tensor(2).clone(), half_norms = Tensor::zeros({4, 5}),
                 status = Tensor::zeros({4, 3}, DType::f64);
    kernel::kmeans_centers(current_context(), all_restarts(4), run.tensor(0), run.tensor(1), params, centers,
                           half_norms, status);
    return vars({centers, half_norms, status});
  };
  c.reference = [params](const Arrays& x) {
    const Index d = x[0].dim(2);
    Array centers = x[2], half_norms({4, 5}), status({4, 3});
    for (Index r = 0; r < 4; ++r) {
      const auto begin = x[1].values.begin() + 5 * r;
      if (params.empty == EmptyClusters::wait && std::count(begin, begin + 5, 0.0) > 0) continue;
      const Index largest = std::max_element(begin, begin + 5) - begin;
      for (Index cluster = 0; cluster < 5; ++cluster) {
        const Index target = 5 * r + cluster;
        if (x[1][target] == 0 && params.empty == EmptyClusters::stay) continue;
        const Index source = x[1][target] > 0 ? target : 5 * r + largest;
        double square = 0, moved = 0;
        for (Index j = 0; j < d; ++j) square += x[0][source * d + j] * x[0][source * d + j];
        const double length = params.unit_length ? std::sqrt(square) : x[1][source];
        for (Index j = 0; j < d; ++j) {
          const double value = x[0][source * d + j] / length;
          moved += std::pow(value - x[2][target * d + j], 2);
          half_norms[target] += 0.5 * value * value;
          centers[target * d + j] = value;
        }
        status[3 * r + 2] += moved;
      }
    }
    return Arrays{centers, half_norms, status};
  };
  return c;
}

OpCase kmeans_distances() {
  OpCase c = cluster_case("kmeans_distances");
  for (const auto& [n, d] : sizes)
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d}), real({7, d}), integers({n}, 0, 6)}});
  c.run = [](const Run& run) {
    const Tensor distances({run.tensor(0).dim(0)}, DType::f32), inertia({1}, DType::f64);
    kernel::kmeans_distances(current_context(), run.tensor(0), run.tensor(1), run.tensor(2).to(DType::i32),
                             distances, inertia);
    return vars({distances, inertia});
  };
  c.reference = [](const Arrays& x) {
    Array distances({x[0].dim(0)}), inertia({1});
    for (Index i = 0; i < distances.size(); ++i)
      inertia[0] += distances[i] = square_distance(x[0], i, x[1], static_cast<Index>(x[2][i]));
    return Arrays{distances, inertia};
  };
  return c;
}

}  // namespace

std::vector<OpCase> kmeans_cases() {
  return {kmeans_seed(false),
          kmeans_seed(true),
          kmeans_seed(true, true),
          kmeans_seed_choose(),
          kmeans_assign(false),
          kmeans_assign(true),
          kmeans_drift(),
          kmeans_update(),
          kmeans_centers("kmeans_centers", {}),
          kmeans_centers("kmeans_centers_on_largest", {EmptyClusters::on_largest}),
          kmeans_centers("kmeans_centers_stay", {EmptyClusters::stay}),
          kmeans_centers("kmeans_centers_unit_length", {EmptyClusters::on_largest, true}),
          kmeans_distances()};
}

}  // namespace chorale::harness
