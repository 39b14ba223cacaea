// SPDX-License-Identifier: MIT
#include "data/shard_writer.h"

#include "tensor/device.h"
#include "tensor/npy.h"

namespace chorale::data {

ShardWriter::ShardWriter(std::string path, Shape row_shape, std::int64_t capacity)
    : path_(std::move(path)),
      row_shape_(std::move(row_shape)),
      capacity_(capacity),
      file_(path_, Durability::fast) {
  const std::string header = header_of(capacity_);
  file_.write(header);
  hash_.add(std::as_bytes(std::span(header)));
}

std::string ShardWriter::header_of(std::int64_t rows) const {
  Shape shape = row_shape_;
  shape.insert(shape.begin(), rows);
  return npy_header(DType::f32, shape);
}

void ShardWriter::append(const std::vector<Tensor>& parts, std::int64_t begin, std::int64_t end) {
  wait();
  const auto count = static_cast<std::size_t>((end - begin) * element_count(row_shape_));
  const bool in_place = current_context().kind() == DeviceKind::cpu;
  if (!in_place && staged_.size() < count) staged_.resize(count);
  float* staged = staged_.data();
  pieces_.clear();
  for (std::int64_t i = begin; i < end; ++i)
    for (const Tensor& part : parts) {
      const Tensor row = part[i];
      const float* values = staged;
      if (in_place) {
        values = reinterpret_cast<const float*>(row.raw());
      } else {
        row.download(staged, DType::f32);
        staged += row.size();
      }
      pieces_.emplace_back(values, static_cast<std::size_t>(row.size()));
    }
  parts_ = parts;
  rows_ += end - begin;
  // Where no thread can be had, wait() writes.
  write_ = std::async(std::launch::async | std::launch::deferred, [this] {
    for (const std::span<const float> piece : pieces_) {
      hash_.add(std::as_bytes(piece));
      file_.write(piece.data(), piece.size_bytes());
    }
  });
}

void ShardWriter::wait() {
  if (write_.valid()) write_.get();
  parts_.clear();
}

IndexedShard ShardWriter::commit() {
  wait();
  const bool whole = rows_ == capacity_;
  if (!whole) {
    const std::string header = header_of(rows_);  // of the same length
    file_.write_at(0, header.data(), header.size());
  }
  file_.commit();
  return {rows_, whole ? hash_.text() : file_hash(path_), file_stamp(path_).value_or(FileStamp{})};
}

}  // namespace chorale::data
