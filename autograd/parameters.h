// SPDX-License-Identifier: MIT
// The parameters of a model in flat buffers: f32 masters, moments, gradients, and a 16-bit shadow under mixed
// precision. Each parameter starts on a 256-byte boundary; one optimizer kernel walks the whole buffer.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "autograd/precision.h"
#include "autograd/var.h"

namespace chorale::autograd {

/// A named range of rows of a parameter; two layers that share one product are saved under their own names.
struct ParameterPiece {
  std::string name;
  std::int64_t first_row = 0, rows = 0;
};

enum class Initializer : std::uint8_t {
  zeros,
  ones,
  normal,          ///< N(0, 1): torch.nn.Embedding's default
  uniform_fan_in,  ///< U(-1/sqrt(fan_in), 1/sqrt(fan_in)): torch.nn.Linear's default for weight and bias
};

/// How files hold a parameter whose rows or columns enumerate the pixels of an image: NCHW there, as PyTorch
/// has it, NHWC in memory. Without pixels (height 0) both are the same.
struct FileLayout {
  std::int64_t height = 0, width = 0, channels = 0;
  bool rows = false;  ///< rows enumerate the pixels, else columns (further columns follow them unchanged)
  Shape shape = {};   ///< in files; empty: as in memory
};
/// `stored` as files hold it; a copy where that differs.
Tensor to_file_layout(const Tensor& stored, const FileLayout& layout);
/// The inverse: fills `stored`, whose size `file` has.
void copy_from_file_layout(Tensor& stored, const FileLayout& layout, const Tensor& file);

struct ParameterSpec {
  std::string name;
  Shape shape;
  Initializer initializer = Initializer::uniform_fan_in;
  std::int64_t fan_in = 1;
  bool low = true;                          ///< layers see it in the compute precision; false: always in f32
  std::vector<ParameterPiece> pieces = {};  ///< empty: one piece of the parameter's own name
  FileLayout file = {};                     ///< of each piece
  float rate_scale = 1.0f;                  ///< factor of the learning rate
  bool decay = true;                        ///< weight decay applies
};

class ParameterStore {
 public:
  ParameterStore() = default;
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  /// Registers a parameter and returns its index. Only before allocate().
  int add(ParameterSpec spec);

  struct Layout {
    Precision precision;
    /// Rows of a training batch if each parameter is used once per step: weights for which two factors of
    /// that many rows are much smaller than the gradient keep those (GradientSlot). 0: every gradient is
    /// dense.
    std::int64_t factor_rows = 0;
    bool training = true;  ///< false: no gradients and moments
  };
  /// Allocates all buffers on the current device and initialises the masters from `seed`.
  void allocate(const Layout& layout, std::uint64_t seed);

  Var var(int index) const;
  int count() const { return static_cast<int>(entries_.size()); }
  std::int64_t parameter_count() const;  ///< elements, without padding
  const ParameterSpec& spec(int index) const { return entries_[static_cast<std::size_t>(index)].spec; }

  /// Named pieces for files and goldens, in order of registration: views into the f32 buffers.
  struct NamedTensors {
    std::string name;
    Tensor value, first_moment, second_moment;  ///< moments undefined without training
    FileLayout file;
  };
  std::vector<NamedTensors> named() const;
  /// After masters were written from outside: brings the 16-bit shadow up to date.
  void refresh_shadow();

  // For the optimizer.
  /// A range of the dense buffers with settings of its own.
  struct Group {
    std::int64_t begin = 0, end = 0;
    float rate_scale = 1.0f;
    bool decay = true;
  };
  const std::vector<Group>& groups() const { return groups_; }
  struct Factored {
    GradientSlot* slot;
    Tensor value, first_moment, second_moment, shadow;
  };
  Tensor dense_values, dense_gradients, dense_first_moments, dense_second_moments, dense_shadow;
  const std::vector<Factored>& factored() const { return factored_; }
  /// Parameters without a gradient in this step get zeros.
  void complete_gradients();
  void clear_gradients();

 private:
  struct Entry {
    ParameterSpec spec;
    std::int64_t offset = 0;  ///< in the flat buffers, in elements
    Tensor value, first_moment, second_moment;
    mutable GradientSlot slot;
    Var var;
  };
  Tensor piece(const Tensor& flat, const Entry& entry) const;
  /// Offsets in the flat buffers; returns the elements of the dense part and of all.
  std::pair<std::int64_t, std::int64_t> lay_out();
  void initialize(std::uint64_t seed);

  Layout layout_;
  std::deque<Entry> entries_;  ///< a deque: slots keep their addresses
  std::vector<Factored> factored_;
  std::vector<Group> groups_;
  Tensor values_, first_moments_, second_moments_, shadow_;
};

}  // namespace chorale::autograd
