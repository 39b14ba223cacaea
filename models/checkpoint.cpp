// SPDX-License-Identifier: MIT
#include "models/checkpoint.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <set>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernels/launch.h"
#include "tensor/safetensors.h"

namespace chorale::models {
namespace {

constexpr const char* format_key = "chorale.format";
constexpr const char* hash_key = "chorale.hash";
constexpr int format_version = 1;

/// Over names, dtypes, shapes and bytes of all tensors and over the texts, in the order of their names.
std::string content_hash(const Checkpoint& checkpoint) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  const auto add_text = [&](const std::string& text) {
    const std::uint64_t size = text.size();
    XXH3_64bits_update(&state, &size, sizeof size);
    XXH3_64bits_update(&state, text.data(), text.size());
  };
  std::vector<const NamedBuffer*> sorted;
  for (const NamedBuffer& t : checkpoint.tensors) sorted.push_back(&t);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  std::vector<std::byte> bytes;
  for (const NamedBuffer* t : sorted) {
    add_text(t->name + " " + std::string(dtype_name(t->value.dtype())) + " " + to_string(t->value.shape()));
    const Tensor value = t->value.contiguous();
    if (current_context().api().host_memory) {
      XXH3_64bits_update(&state, value.raw(), value.bytes());
    } else {
      bytes.resize(value.bytes());
      value.download(bytes.data(), value.dtype());
      XXH3_64bits_update(&state, bytes.data(), bytes.size());
    }
  }
  for (const auto& [key, text] : checkpoint.metadata) {
    if (key == hash_key) continue;
    add_text(key);
    add_text(text);
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016" PRIx64, static_cast<std::uint64_t>(XXH3_64bits_digest(&state)));
  return digits;
}

bool is_finite(const Tensor& tensor) {
  Tensor sum = Tensor::zeros({1}, DType::f64);
  kernel::square_sum(current_context(), tensor.contiguous(), sum);
  return std::isfinite(sum.item());
}

}  // namespace

const Tensor& Checkpoint::tensor(const std::string& name) const {
  for (const NamedBuffer& t : tensors)
    if (t.name == name) return t.value;
  throw InputError("checkpoint: missing tensor: " + name);
}

bool Checkpoint::has(const std::string& name) const {
  return std::any_of(tensors.begin(), tensors.end(), [&](const NamedBuffer& t) { return t.name == name; });
}

const std::string& Checkpoint::text(const std::string& name) const {
  const auto found = metadata.find(name);
  if (found == metadata.end()) throw InputError("checkpoint: missing entry: " + name);
  return found->second;
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  for (const NamedBuffer& t : checkpoint.tensors)
    if (t.value.dtype() == DType::f32 && !is_finite(t.value))
      throw NumericalError(path + ": not written: " + t.name + " holds non-finite values");
  Checkpoint complete = checkpoint;
  complete.metadata[format_key] = std::to_string(format_version);
  complete.metadata[hash_key] = content_hash(complete);
  SafetensorsWriter writer(path);
  for (const auto& [key, text] : complete.metadata) writer.set_metadata(key, text);
  for (const NamedBuffer& t : complete.tensors) writer.add(t.name, t.value);
  writer.commit();
}

Checkpoint read_checkpoint(const std::string& path) {
  const SafetensorsFile file(path);
  Checkpoint checkpoint;
  checkpoint.metadata = {file.metadata().begin(), file.metadata().end()};
  const auto format = checkpoint.metadata.find(format_key);
  if (format == checkpoint.metadata.end())
    throw InputError(path + ": no checkpoint of this program: no " + format_key + " in its metadata");
  if (format->second != std::to_string(format_version))
    throw InputError(path + ": checkpoint of another format version: " + format->second + " (allowed " +
                     std::to_string(format_version) + ")");
  for (const std::string& name : file.names()) checkpoint.tensors.push_back({name, file.load(name)});
  const std::string stored = checkpoint.text(hash_key), actual = content_hash(checkpoint);
  if (stored != actual)
    throw InputError(path + ": checkpoint is damaged: content hash " + actual + " (allowed " + stored + ")");
  return checkpoint;
}

std::vector<NamedBuffer> model_tensors(Vae& model) {
  std::vector<NamedBuffer> all;
  for (const auto& parameter : model.parameters().named())
    all.push_back({parameter.name, autograd::to_file_layout(parameter.value, parameter.file)});
  for (const NamedBuffer& buffer : model.buffers()) all.push_back(buffer);
  return all;
}

void load_model(Vae& model, const Checkpoint& checkpoint) {
  std::string wrong;
  const auto fits = [&](const std::string& name, const Shape& expected) {
    std::string what;
    if (!checkpoint.has(name))
      what = "is missing";
    else if (const Shape& shape = checkpoint.tensor(name).shape(); shape != expected)
      what = "is " + to_string(shape) + ", not " + to_string(expected);
    if (!what.empty()) wrong += (wrong.empty() ? "" : ", ") + name + " " + what;
  };
  auto parameters = model.parameters().named();
  auto buffers = model.buffers();
  for (const auto& p : parameters) fits(p.name, p.file.shape.empty() ? p.value.shape() : p.file.shape);
  for (const NamedBuffer& b : buffers) fits(b.name, b.value.shape());
  if (!wrong.empty()) throw InputError("checkpoint: does not fit the model: " + wrong);
  for (auto& p : parameters) autograd::copy_from_file_layout(p.value, p.file, checkpoint.tensor(p.name));
  for (NamedBuffer& b : buffers) b.value.copy_from(checkpoint.tensor(b.name));
  model.parameters().refresh_shadow();
}

}  // namespace chorale::models
