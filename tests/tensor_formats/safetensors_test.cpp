// SPDX-License-Identifier: MIT
// safetensors files: Hugging Face's own, ours compared byte by byte with theirs, and broken ones made here.
#include "tensor/safetensors.h"

#include <cerrno>
#include <ctime>
#include <limits>

#include "tests/harness/temporary_folder.h"
#include "tests/tensor_formats/pattern.h"
#include "tests/tensor_formats/plain_device.h"

namespace chorale {
namespace {

using testing::golden;
using testing::message_of;
using testing::pattern;
using testing::PlainDevice;
using testing::slurp;
using testing::TemporaryFolder;

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xff);
  return bytes + rest;
}

std::string file_bytes(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                  const std::string& dtype = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.safetensors", bytes);
  const std::string message = message_of<InputError>([&] { SafetensorsFile file(path); });
  EXPECT_MENTIONS(message, path + ": ");
  EXPECT_LT(message.size(), 1000u);
  return message;
}

std::string header_refusal(const std::string& header, std::size_t data_bytes) {
  return refusal(file_bytes(header, data_bytes));
}

std::string tensor_refusal(const std::string& shape, const std::string& offsets, std::size_t data_bytes,
                           const std::string& dtype = "F32") {
  const std::string message = header_refusal("{" + entry("a", shape, offsets, dtype) + "}", data_bytes);
  EXPECT_MENTIONS(message, "tensor 'a': ");
  return message;
}

// Everything that make_formats.py puts into tensors.safetensors.
void write_all(const std::string& path) {
  SafetensorsWriter writer(path);
  writer.set_metadata("format", "pt");
  writer.add("encoder.0.weight", Tensor::from_host(pattern<float>(12), {4, 3}));
  writer.add("encoder.0.bias", Tensor::from_host(pattern<float>(4), {4}));
  writer.add("half", Tensor::from_host(pattern<half>(4), {2, 2}));
  writer.add("double", Tensor::from_host(pattern<double>(3), {3}));
  writer.add("step", pattern<std::int64_t>(1), {});
  writer.add("index", Tensor::from_host(pattern<std::int32_t>(6), {2, 3}));
  writer.add("bytes", pattern<std::uint8_t>(3), {3});
  writer.add("nothing", Tensor({0, 4}, DType::f32));
  writer.add("নাম \"quoted\"", Tensor::from_host(pattern<float>(2), {1, 1, 1, 2}));
  writer.commit();
}

TEST(SafetensorsRead, FileOfTheReferenceImplementation) {
  const SafetensorsFile file(golden("tensors.safetensors"));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"step", "double", "encoder.0.bias", "encoder.0.weight",
                                                    "nothing", "নাম \"quoted\"", "index", "half", "bytes"}));
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(file.info("encoder.0.weight").shape, (Shape{4, 3}));
  EXPECT_EQ(file.info("encoder.0.weight").bytes, 48u);
  EXPECT_TRUE(file.contains("half"));
  EXPECT_FALSE(file.contains("none"));
  for (const bool host_memory : {true, false}) {
    const PlainDevice device(host_memory);
    EXPECT_EQ(file.load("encoder.0.weight").to_host<float>(), pattern<float>(12));
    EXPECT_EQ(file.load("double").to_host<double>(), pattern<double>(3));
    EXPECT_EQ(file.load("step").to_host<std::int64_t>(), pattern<std::int64_t>(1));
    EXPECT_EQ(file.load("step").shape(), Shape{});
    EXPECT_EQ(file.load("index").to_host<std::int32_t>(), pattern<std::int32_t>(6));
    EXPECT_EQ(file.load("bytes").to_host<std::uint8_t>(), pattern<std::uint8_t>(3));
    EXPECT_EQ(file.load("nothing").shape(), (Shape{0, 4}));
    EXPECT_EQ(file.load("নাম \"quoted\"").to_host<float>(), pattern<float>(2));
    EXPECT_EQ(to_float(file.load("half").to_host<half>()[1]), -13.0f);
    const Tensor target({4, 3}, DType::f32);
    file.load_into("encoder.0.weight", target);
    EXPECT_EQ(target.to_host<float>(), pattern<float>(12));
    EXPECT_MENTIONS(message_of<InputError>([&] { file.load_into("double", target); }),
                    "is f64 (3,) (allowed f32 (4, 3))");
  }
  EXPECT_EQ(file.load_host<float>("encoder.0.bias"), pattern<float>(4));
  EXPECT_MENTIONS(message_of<InputError>([&] { file.load_host<float>("double"); }),
                  "dtype f64 (allowed f32)");
  EXPECT_MENTIONS(message_of<InputError>([&] { file.info("none"); }), "has no tensor 'none'");
}

TEST(SafetensorsWrite, SameBytesAsTheReferenceImplementation) {
  for (const bool host_memory : {true, false}) {
    const PlainDevice device(host_memory);
    const TemporaryFolder folder;
    const std::string path = folder / "tensors.safetensors";
    write_all(path);
    EXPECT_EQ(slurp(path), slurp(golden("tensors.safetensors")));
    testing::keep(path);
  }
}

TEST(SafetensorsWrite, RoundTripOfBf16LargeAndEmptyFiles) {
  const PlainDevice device(false);
  const TemporaryFolder folder;
  const std::vector<float> large = pattern<float>(5'000'001);
  {
    SafetensorsWriter writer(folder / "x.safetensors");
    writer.add("bf16", Tensor::from_host(pattern<bf16>(7), {7}));
    writer.add("large", Tensor::from_host(large, {5'000'001}));
    EXPECT_THROW(writer.add("large", Tensor({1}, DType::f32)), ContractError);
    EXPECT_THROW(writer.add("__metadata__", Tensor({1}, DType::f32)), ContractError);
    EXPECT_THROW(writer.add("x", std::vector<float>(3), {2}), ContractError);
    writer.set_metadata("quote", "\"\n\\ é");
    writer.commit();
  }
  const SafetensorsFile file(folder / "x.safetensors");
  EXPECT_EQ(file.metadata().at("quote"), "\"\n\\ é");
  EXPECT_EQ(file.load("large").to_host<float>(), large);
  EXPECT_EQ(file.info("bf16").dtype, DType::bf16);
  const std::vector<bf16> values = file.load_host<bf16>("bf16"), expected = pattern<bf16>(7);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(values[i].bits, expected[i].bits);

  SafetensorsWriter nothing(folder / "empty.safetensors");
  nothing.commit();
  EXPECT_TRUE(SafetensorsFile(folder / "empty.safetensors").names().empty());
  SafetensorsWriter invalid(folder / "invalid.safetensors");
  invalid.add("\xff", std::vector<float>(1), {1});
  EXPECT_THROW(invalid.commit(), ContractError);
}

TEST(SafetensorsWrite, FullDiskKeepsTheOldFile) {
  const PlainDevice device(true);
  const TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  write_all(path);
  const std::string old = slurp(path);
  int failures = 0;
  for (int n = 1;; ++n) {
    inject_write_failure(n, ENOSPC);
    std::string message;
    try {
      SafetensorsWriter writer(path);
      for (int i = 0; i < 3; ++i) writer.add("t" + std::to_string(i), Tensor({100'000}, DType::f32));
      writer.commit();
    } catch (const InputError& error) {
      message = error.what();
    }
    inject_write_failure(0, 0);
    if (message.empty()) break;
    EXPECT_MENTIONS(message, "disk full");
    EXPECT_EQ(folder.entries(), 1);
    if (message.find("folder") == std::string::npos) {
      EXPECT_EQ(slurp(path), old) << "step " << n;
    }
    ++failures;
  }
  EXPECT_GE(failures, 8);
}

TEST(SafetensorsRead, HeaderLength) {
  EXPECT_MENTIONS(refusal(""), "empty");
  EXPECT_MENTIONS(refusal("1234567"), "shorter than 8 bytes");
  EXPECT_MENTIONS(refusal(with_length(0, "")), "header of 0 bytes");
  EXPECT_MENTIONS(refusal(with_length(1, "{")), "header of 1 bytes");
  EXPECT_MENTIONS(refusal(with_length(~std::uint64_t{0}, "{}")), "header of 18446744073709551615 bytes");
  EXPECT_MENTIONS(refusal(with_length(100'000'001, "{}")), "at most 100000000");
  EXPECT_MENTIONS(refusal(with_length(100'000'000, "{}")), "what the file holds");
  EXPECT_MENTIONS(refusal(with_length(3, "{}")), "what the file holds");
}

TEST(SafetensorsRead, HeaderThatIsNoJsonObject) {
  EXPECT_MENTIONS(header_refusal("[]", 0), "does not start with '{'");
  EXPECT_MENTIONS(header_refusal(" {}", 0), "does not start with '{'");
  EXPECT_MENTIONS(header_refusal("\xef\xbb\xbf{}", 0), "does not start with '{'");
  EXPECT_MENTIONS(header_refusal("{}x", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{} {}", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{}" + std::string(6, '\0'), 0), "NUL byte at 2");
  EXPECT_MENTIONS(header_refusal("{\"\xff\xfe\":1}", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{\"\\ud800\":1}", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{'a':1}", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{\"a\":NaN}", 0), "syntax error");
  EXPECT_MENTIONS(header_refusal("{\"a\":1e400}", 0), "out of range");
  EXPECT_MENTIONS(header_refusal("{\"a\":" + std::string(100'000, '['), 0), "nested deeper");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_MENTIONS(header_refusal(objects, 0), "nested deeper");
  const TemporaryFolder folder;
  const SafetensorsFile padded(folder.file("x", file_bytes("{}      ", 0)));
  EXPECT_TRUE(padded.names().empty());
}

TEST(SafetensorsRead, DuplicateAndUnknownKeys) {
  const std::string a = entry("a", "[1]", "[0,4]");
  EXPECT_MENTIONS(header_refusal("{" + a + "," + a + "}", 4), "duplicate key: 'a'");
  EXPECT_MENTIONS(header_refusal("{" + a + ",\"\\u0061\":1}", 4), "duplicate key: 'a'");
  EXPECT_MENTIONS(header_refusal("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4),
                  "duplicate key: 'dtype'");
  EXPECT_MENTIONS(header_refusal("{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", 0), "duplicate key: 'x'");
  EXPECT_MENTIONS(header_refusal("{\"__metadata__\":{\"x\":1}}", 0), "'x' is no string");
  EXPECT_MENTIONS(header_refusal("{\"__metadata__\":[]}", 0), "__metadata__ is no object");
  EXPECT_MENTIONS(
      header_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":0}}", 4),
      "unknown key 'x'");
  for (const std::string key : {"dtype", "shape", "data_offsets"}) {
    std::string header = "{\"a\":{";
    if (key != "dtype") header += "\"dtype\":\"F32\",";
    if (key != "shape") header += "\"shape\":[],";
    if (key != "data_offsets") header += "\"data_offsets\":[0,4],";
    header.back() = '}';
    EXPECT_MENTIONS(header_refusal(header + "}", 4), "lacks " + key);
  }
  EXPECT_MENTIONS(header_refusal("{\"a\":[]}", 0), "no JSON object");
}

TEST(SafetensorsRead, OverlapsHolesAndSizes) {
  const auto two = [](const std::string& a, const std::string& b, std::size_t bytes) {
    return header_refusal("{" + entry("a", "[2]", a) + "," + entry("b", "[2]", b) + "}", bytes);
  };
  EXPECT_MENTIONS(two("[0,8]", "[4,12]", 12), "'b': overlaps");
  EXPECT_MENTIONS(two("[0,8]", "[0,8]", 8), "'b': overlaps");
  EXPECT_MENTIONS(two("[0,8]", "[12,20]", 20), "'b': hole of 4 bytes");
  EXPECT_MENTIONS(two("[4,12]", "[12,20]", 20), "'a': hole of 4 bytes");
  EXPECT_MENTIONS(two("[0,8]", "[8,16]", 17), "1 trailing bytes");
  EXPECT_MENTIONS(two("[0,8]", "[8,16]", 15), "beyond the file's 15 bytes");
  EXPECT_MENTIONS(tensor_refusal("[2]", "[8,0]", 8), "reversed");
  EXPECT_MENTIONS(tensor_refusal("[2]", "[0,4]", 4), "needs 8 bytes");
  EXPECT_MENTIONS(tensor_refusal("[2]", "[0,18446744073709551615]", 8), "beyond");
  EXPECT_MENTIONS(tensor_refusal("[2]", "[18446744073709551608,18446744073709551615]", 8), "beyond");
  for (const char* offsets :
       {"[0]", "[0,8,8]", "{}", "[0,8.0]", "[-1,7]", "[\"0\",8]", "8", "[0,18446744073709551616]", "null"}) {
    EXPECT_MENTIONS(tensor_refusal("[2]", offsets, 8), "not two whole numbers");
  }
}

TEST(SafetensorsRead, ShapesAndDtypes) {
  EXPECT_MENTIONS(tensor_refusal("[4294967296,4294967296]", "[0,4]", 4), "overflows");
  EXPECT_MENTIONS(tensor_refusal("[9223372036854775807]", "[0,4]", 4), "overflows");
  EXPECT_MENTIONS(tensor_refusal("[0,4294967296,4294967296]", "[0,0]", 0), "overflows");
  for (const char* d : {"-1", "1.0", "1e300", "18446744073709551615", "\"1\"", "null", "true"}) {
    EXPECT_MENTIONS(tensor_refusal(std::string("[") + d + "]", "[0,4]", 4), "no whole number");
  }
  EXPECT_MENTIONS(tensor_refusal("4", "[0,4]", 4), "shape is no array");
  EXPECT_MENTIONS(tensor_refusal("[1,1,1,1,1]", "[0,4]", 4), "5 dimensions (allowed at most 4)");
  std::string many = "[1";
  for (int i = 0; i < 1'000'000; ++i) many += ",1";
  EXPECT_MENTIONS(tensor_refusal(many + "]", "[0,4]", 4), "1000001 dimensions");
  for (int i = 0; i < 1'500'000; ++i) many += ",1";
  EXPECT_MENTIONS(header_refusal("{" + entry("a", many + "]", "[0,4]") + "}", 4), "more than 2000000 values");
  EXPECT_MENTIONS(tensor_refusal("[1]", "[0,4]", 4, "F128"), "dtype F128 (allowed F64 F32");
  EXPECT_MENTIONS(tensor_refusal("[1]", "[0,4]", 4, "f32"), "dtype f32 (allowed");
  EXPECT_MENTIONS(header_refusal("{\"a\":{\"dtype\":3,\"shape\":[],\"data_offsets\":[0,4]}}", 4),
                  "dtype is no string");
}

// The reference implementation's second attack: very many tensors on the same bytes.
TEST(SafetensorsRead, VeryManyTensorsAreRefusedSoon) {
  std::string header = "{";
  for (int i = 0; i < 300'000; ++i) header += entry(std::to_string(i), "[1]", "[0,4]") + ",";
  header.back() = '}';
  const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
  const std::string message = header_refusal(header, 4);
  EXPECT_LT(std::clock() - start, 20 * CLOCKS_PER_SEC);
  EXPECT_MENTIONS(message, "more than 2000000 values");
  header = "{";
  for (int i = 0; i < 100'001; ++i) header += entry(std::to_string(i), "[]", "[0,4]") + ",";
  header.back() = '}';
  EXPECT_MENTIONS(header_refusal(header, 4), "100001 tensors (allowed at most 100000)");
}

TEST(SafetensorsRead, EveryTruncationIsRefused) {
  const std::string whole = slurp(golden("tensors.safetensors"));
  for (std::size_t n = 0; n < whole.size(); ++n) refusal(whole.substr(0, n));
  refusal(whole + "x");
}

TEST(SafetensorsRead, EveryFlippedHeaderBitIsReadOrRefused) {
  const std::string whole = slurp(golden("tensors.safetensors"));
  const TemporaryFolder folder;
  int refused = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string broken = whole;
      broken[i] = static_cast<char>(broken[i] ^ 1 << bit);
      const std::string path = folder.file("x", broken);
      try {
        const SafetensorsFile file(path);
        for (const std::string& name : file.names()) EXPECT_LE(file.info(name).bytes, whole.size());
      } catch (const InputError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(SafetensorsRead, TruncationDuringLoadIsAnErrorNotASignal) {
  const PlainDevice device(true);
  const TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  {
    SafetensorsWriter writer(path);
    writer.add("a", Tensor::from_host(std::vector<float>(100'000, 1.0f), {100'000}));
    writer.commit();
  }
  const SafetensorsFile file(path);
  std::filesystem::resize_file(path, 1000);
  EXPECT_MENTIONS(message_of<InputError>([&] { file.load("a"); }), "truncated: ends at byte 1000");
  EXPECT_MENTIONS(message_of<InputError>([&] { file.load_host<float>("a"); }), "truncated");
}

TEST(SafetensorsRead, NonFiniteValuesLoadAndAreCounted) {
  const PlainDevice device(true);
  const TemporaryFolder folder;
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> large(1'000'000, 1.0f);
  large[0] = large[300'000] = large[999'999] = nan;
  {
    SafetensorsWriter writer(folder / "x");
    writer.add("f32", large, {1'000'000});
    writer.add("f16", std::vector<half>{to_half(inf), to_half(1.0f), to_half(-inf)}, {3});
    writer.add("bf16", std::vector<bf16>{to_bf16(nan)}, {1});
    writer.add("f64", std::vector<double>{1.0, nan}, {2});
    writer.add("i32", std::vector<std::int32_t>{-1}, {1});
    writer.commit();
  }
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(file.load("f32").size(), 1'000'000);
  EXPECT_EQ(file.count_non_finite("f32"), 3);
  EXPECT_EQ(file.count_non_finite("f16"), 2);
  EXPECT_EQ(file.count_non_finite("bf16"), 1);
  EXPECT_EQ(file.count_non_finite("f64"), 1);
  EXPECT_EQ(file.count_non_finite("i32"), 0);
}

TEST(SafetensorsRead, WrongModelIsDescribed) {
  const SafetensorsFile file(golden("tensors.safetensors"));
  std::vector<ExpectedTensor> expected{{"encoder.0.weight", {4, 3}},
                                       {"encoder.0.bias", {5}},
                                       {"double", {3}, {DType::f32, DType::f16}},
                                       {"half", {2, 2}, {DType::f32, DType::f16}},
                                       {"decoder.weight", {1}}};
  const std::string message =
      message_of<InputError>([&] { check_tensors(file, expected, ExtraTensors::refuse); });
  EXPECT_MENTIONS(message, "missing tensors: decoder.weight");
  EXPECT_MENTIONS(message, "encoder.0.bias is f32 (4,), not f32 (5,)");
  EXPECT_MENTIONS(message, "double is f64 (3,), not f32 (3,)");
  EXPECT_MENTIONS(message, "unknown tensors: step, nothing, ");
  EXPECT_EQ(message.find("half is"), std::string::npos);
  check_tensors(file, {{"encoder.0.weight", {4, 3}}}, ExtraTensors::allow);
  EXPECT_THROW(check_tensors(file, {{"encoder.0.weight", {4, 3}}}, ExtraTensors::refuse), InputError);
}

class Sharded : public ::testing::Test {
 protected:
  void SetUp() override {
    SafetensorsWriter first(folder_ / "model-00001-of-00002.safetensors"),
        second(folder_ / "model-00002-of-00002.safetensors");
    first.add("a", pattern<float>(6), {2, 3});
    first.commit();
    second.add("b", pattern<std::int32_t>(3), {3});
    second.add("c", pattern<float>(1), {});
    second.commit();
  }
  std::string index(const std::string& map) const {
    return folder_.file("model.safetensors.index.json",
                        "{\"metadata\": {\"total_size\": 40}, \"weight_map\": {" + map + "}}");
  }
  std::string refusal(const std::string& map) const {
    const std::string path = index(map);
    return message_of<InputError>([&] { SafetensorsFile file(path); });
  }
  const std::string one_ = "\"model-00001-of-00002.safetensors\"",
                    two_ = "\"model-00002-of-00002.safetensors\"";
  TemporaryFolder folder_;
};

TEST_F(Sharded, ReadsByIndexAndByFolder) {
  const std::string path = index("\"a\": " + one_ + ", \"b\": " + two_ + ", \"c\": " + two_);
  for (const std::string& opened : {path, folder_.path()}) {
    const SafetensorsFile file(opened);
    EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "c", "b"}));
    EXPECT_EQ(file.load_host<float>("a"), pattern<float>(6));
    EXPECT_EQ(file.load_host<std::int32_t>("b"), pattern<std::int32_t>(3));
  }
}

TEST_F(Sharded, BrokenIndexes) {
  const std::string rest = ", \"b\": " + two_ + ", \"c\": " + two_;
  for (const char* name : {"../x", "/etc/passwd", "a/b", "..", ".", "", "a\\\\b", "x\\u0000"}) {
    EXPECT_MENTIONS(refusal("\"a\": \"" + std::string(name) + "\"" + rest), "outside its folder");
  }
  EXPECT_MENTIONS(refusal("\"a\": \"none.safetensors\"" + rest), "none.safetensors: cannot open");
  EXPECT_MENTIONS(refusal("\"a\": " + two_ + rest), "'a' is not in model-00002");
  EXPECT_MENTIONS(refusal("\"a\": " + one_ + ", \"b\": " + two_), "weight_map lacks tensor 'c'");
  EXPECT_MENTIONS(refusal("\"a\": 3"), "'a' is no string");
  EXPECT_MENTIONS(refusal(""), "weight_map is empty");
  EXPECT_MENTIONS(refusal("\"a\": " + one_ + ", \"a\": " + one_), "duplicate key");
  std::filesystem::copy_file(folder_ / "model-00001-of-00002.safetensors", folder_ / "copy");
  EXPECT_MENTIONS(refusal("\"a\": " + one_ + ", \"d\": \"copy\"" + rest), "another shard");
  folder_.file("model.safetensors.index.json", "[]");
  EXPECT_MENTIONS(message_of<InputError>([&] { SafetensorsFile file(folder_.path()); }), "no weight_map");
  const TemporaryFolder empty;
  EXPECT_MENTIONS(message_of<InputError>([&] { SafetensorsFile file(empty.path()); }), "holds neither");
}

}  // namespace
}  // namespace chorale
