// SPDX-License-Identifier: MIT
// .npy files: those of NumPy, our own compared byte by byte with NumPy's, and broken ones made here.
#include "tensor/npy.h"

#include <cerrno>
#include <cmath>

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

// A file of the given version with any header text, padded as NumPy does unless `raw`.
std::string npy_bytes(std::string header, std::size_t data_bytes, int version = 1, bool raw = false) {
  const std::size_t prefix = version == 1 ? 10 : 12;
  if (!raw) {
    header.append(64 - (prefix + header.size() + 1) % 64, ' ');
    header += '\n';
  }
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), '\0'};
  for (std::size_t i = 0; i < prefix - 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.npy", bytes);
  const std::string message = message_of<InputError>([&] { read_npy_host(path); });
  EXPECT_MENTIONS(message, path + ": not a readable .npy file: ");
  return message;
}

template <class T>
void expect_values(const NpyArray& array, const std::vector<T>& expected, const std::string& name) {
  ASSERT_EQ(array.dtype, dtype_of<T>::value) << name;
  const auto values = array.as<T>();
  ASSERT_EQ(values.size(), expected.size()) << name;
  EXPECT_EQ(std::memcmp(values.data(), expected.data(), values.size_bytes()), 0) << name;
}

TEST(NpyRead, EveryTypeThatNumpyWrites) {
  const Shape shape{2, 3, 5};
  const auto read = [&](const std::string& name) {
    const NpyArray array = read_npy_host(golden(name + ".npy"));
    EXPECT_EQ(array.shape, shape) << name;
    return array;
  };
  expect_values(read("f2"), pattern<half>(30), "f2");
  expect_values(read("f4"), pattern<float>(30), "f4");
  expect_values(read("f8"), pattern<double>(30), "f8");
  for (const char* name : {"i1", "i2", "i4"}) expect_values(read(name), pattern<std::int32_t>(30), name);
  expect_values(read("i8"), pattern<std::int64_t>(30), "i8");
  expect_values(read("u1"), pattern<std::uint8_t>(30), "u1");
  std::vector<std::int32_t> u2 = pattern<std::int32_t>(30);
  for (auto& v : u2) v += 50;
  expect_values(read("u2"), u2, "u2");
  const std::vector<std::int64_t> wide(u2.begin(), u2.end());
  expect_values(read("u4"), wide, "u4");
  expect_values(read("u8"), wide, "u8");
  std::vector<std::uint8_t> b1 = pattern<std::uint8_t>(30);
  for (auto& v : b1) v %= 2;
  expect_values(read("b1"), b1, "b1");
}

TEST(NpyRead, BigEndianFortranVersionsAndRanks) {
  expect_values(read_npy_host(golden("big_f2.npy")), pattern<half>(21), "big_f2");
  expect_values(read_npy_host(golden("big_f4.npy")), pattern<float>(21), "big_f4");
  expect_values(read_npy_host(golden("big_f8.npy")), pattern<double>(21), "big_f8");
  expect_values(read_npy_host(golden("big_i2.npy")), pattern<std::int32_t>(21), "big_i2");
  expect_values(read_npy_host(golden("big_i4.npy")), pattern<std::int32_t>(21), "big_i4");
  expect_values(read_npy_host(golden("big_i8.npy")), pattern<std::int64_t>(21), "big_i8");
  std::vector<std::int64_t> wide = pattern<std::int64_t>(21);
  for (auto& v : wide) v += 50;
  expect_values(read_npy_host(golden("big_u4.npy")), wide, "big_u4");
  const NpyArray fortran = read_npy_host(golden("fortran.npy"));
  EXPECT_EQ(fortran.shape, (Shape{4, 3, 5}));
  expect_values(fortran, pattern<float>(60), "fortran");
  expect_values(read_npy_host(golden("fortran_big.npy")), pattern<double>(24), "fortran_big");
  for (const char* name : {"version2.npy", "version3.npy"}) {
    expect_values(read_npy_host(golden(name)), pattern<float>(12), name);
  }
  EXPECT_EQ(read_npy_host(golden("scalar.npy")).shape, Shape{});
  expect_values(read_npy_host(golden("scalar.npy")), pattern<double>(1), "scalar");
  EXPECT_EQ(read_npy_host(golden("empty.npy")).shape, (Shape{0, 128}));
  EXPECT_TRUE(read_npy_host(golden("empty.npy")).data.empty());
  EXPECT_THROW(fortran.as<double>(), ContractError);
}

TEST(NpyRead, TensorsOnBothKindsOfDevice) {
  for (const bool host_memory : {true, false}) {
    const PlainDevice device(host_memory);
    const Tensor plain = read_npy(golden("f4.npy"));
    EXPECT_EQ(plain.shape(), (Shape{2, 3, 5}));
    EXPECT_EQ(plain.to_host<float>(), pattern<float>(30));
    EXPECT_EQ(read_npy(golden("fortran.npy")).to_host<float>(), pattern<float>(60));
    EXPECT_EQ(read_npy(golden("big_i8.npy")).to_host<std::int64_t>(), pattern<std::int64_t>(21));
    EXPECT_EQ(read_npy(golden("i1.npy")).to_host<std::int32_t>(), pattern<std::int32_t>(30));
    EXPECT_EQ(read_npy(golden("u1.npy")).to_host<std::uint8_t>(), pattern<std::uint8_t>(30));
    EXPECT_EQ(read_npy(golden("scalar.npy")).to_host<double>(), pattern<double>(1));
    EXPECT_EQ(read_npy(golden("empty.npy")).shape(), (Shape{0, 128}));
    const TemporaryFolder folder;
    const std::string deep = folder.file("x.npy", npy_bytes(dictionary("<f4", "(1, 1, 1, 1, 1)"), 4));
    EXPECT_EQ(read_npy_host(deep).shape.size(), 5u);
    EXPECT_MENTIONS(message_of<InputError>([&] { read_npy(deep); }), "at most 4 dimensions");
  }
}

TEST(NpyRead, PythonObjectsAreNeverEvaluated) {
  EXPECT_MENTIONS(refusal(npy_bytes(dictionary("|O", "(1,)"), 8)), "never loaded");
  EXPECT_MENTIONS(refusal(npy_bytes("__import__('os').system('true')", 8)), "expected '{'");
  EXPECT_MENTIONS(refusal(npy_bytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4)),
                  "structured");
  EXPECT_MENTIONS(refusal(npy_bytes("{'descr': eval('1'), 'fortran_order': False, 'shape': (1,), }", 4)),
                  "expected a string");
}

TEST(NpyRead, OtherTypesAreRefusedByName) {
  for (const char* descr :
       {"<c8", "<U4", "|S3", "<M8[ns]", "<f3", "<f16", "<b1x", "", "f4", "|f4", "<x4", "|V4", "<i0"}) {
    const std::string message = refusal(npy_bytes(dictionary(descr, "(1,)"), 8));
    EXPECT_MENTIONS(message, std::string("element type '") + descr + "'");
    EXPECT_MENTIONS(message, "(allowed f2 f4 f8");
  }
}

TEST(NpyRead, BrokenStart) {
  EXPECT_MENTIONS(refusal(""), "empty");
  EXPECT_MENTIONS(refusal("\x93NUM"), "does not start");
  EXPECT_MENTIONS(refusal("PK\x03\x04 this is an npz file"), "does not start");
  EXPECT_MENTIONS(refusal(npy_bytes(dictionary("<f4", "(1,)"), 4, 4)), "version 4.0");
  EXPECT_MENTIONS(refusal(npy_bytes(dictionary("<f4", "(1,)"), 4, 0)), "version 0.0");
  EXPECT_MENTIONS(refusal(std::string("\x93NUMPY\x02\x00\x10\x00\x00", 11)), "truncated in its header");
  const std::string whole = npy_bytes(dictionary("<f4", "(3,)"), 12);
  for (std::size_t n = 0; n < whole.size(); ++n) refusal(whole.substr(0, n));
  EXPECT_MENTIONS(refusal(whole + "x"), "needs 12 bytes of data, the file holds 13");
}

TEST(NpyRead, HeaderLengthIsBoundedBeforeItIsRead) {
  const auto of_length = [](std::size_t n) {
    std::string header = dictionary("<f4", "(1,)");
    header.append(n - header.size() - 1, ' ');
    return npy_bytes(header + "\n", 4, 2, true);
  };
  const TemporaryFolder folder;
  EXPECT_EQ(read_npy_host(folder.file("x.npy", of_length(10000))).shape, Shape{1});
  EXPECT_MENTIONS(refusal(of_length(10001)), "header of 10001 characters (allowed at most 10000)");
  EXPECT_MENTIONS(refusal(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)),
                  "header of 4294967295 characters");
}

TEST(NpyRead, MalformedHeaders) {
  const auto bad = [](const std::string& header) { return refusal(npy_bytes(header, 4)); };
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False}"), "lacks one of the keys");
  EXPECT_MENTIONS(bad("{}"), "lacks one of the keys");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"),
                  "'descr' twice");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"), "unknown key 'x'");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}"), "neither True nor False");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"), "no tuple");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': [1]}"), "expected '('");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "no whole number: -1");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}"), "no tuple");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1e300,)}"), "no tuple");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (,)}"), "no whole number");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "2^63");
  EXPECT_MENTIONS(bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"), "text after");
  EXPECT_MENTIONS(bad("{'descr': '<f4"), "without an end");
  EXPECT_MENTIONS(bad("{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}"), "escape");
  std::string deep = "(";
  for (int i = 0; i < 3000; ++i) deep += "1,";
  EXPECT_MENTIONS(bad(dictionary("<f4", deep + ")")), "more than 32 dimensions");
  bad(std::string(9000, '('));
  bad(std::string(9000, '{'));
  bad(std::string(100, '\0'));
}

// The size is compared with the file before memory is taken: with little address space left, these still say
// why.
TEST(NpyRead, HugeShapesAreRefusedBeforeAllocation) {
  for (const std::string shape : {"(1099511627776,)", "(65536, 65536, 64)"}) {
    EXPECT_MENTIONS(refusal(npy_bytes(dictionary("<f4", shape), 128)), "the file holds 128");
  }
  for (const std::string shape :
       {"(4294967296, 4294967296)", "(9223372036854775807, 2)", "(4611686018427387904, 2)",
        "(0, 4611686018427387904, 4)", "(2305843009213693952,)"}) {
    EXPECT_MENTIONS(refusal(npy_bytes(dictionary("|u1", shape), 0)), "shape overflows");
  }
  const TemporaryFolder folder;
  const NpyArray empty =
      read_npy_host(folder.file("x.npy", npy_bytes(dictionary("<f4", "(0, 1099511627776)"), 0)));
  EXPECT_EQ(empty.shape, (Shape{0, std::int64_t{1} << 40}));
  EXPECT_TRUE(empty.data.empty());
}

TEST(NpyRead, UnsignedValuesThatDoNotFitAreNamed) {
  std::string bytes = npy_bytes(dictionary("<u8", "(2,)"), 16);
  bytes.back() = '\x80';
  EXPECT_MENTIONS(refusal(bytes), "element 1 does not fit i64: 9223372036854775808");
}

TEST(NpyRead, FilesThatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_MENTIONS(message_of<InputError>([&] { read_npy_host(folder / "none.npy"); }), "No such file");
  EXPECT_MENTIONS(message_of<InputError>([&] { read_npy_host(folder.path()); }), "is a directory");
}

// The writer gives the very bytes of numpy.save.
TEST(NpyWrite, SameBytesAsNumpy) {
  const TemporaryFolder folder;
  const auto compare = [&](const std::string& name, const auto& values, const Shape& shape) {
    write_npy(folder / name, values, shape);
    EXPECT_EQ(slurp(folder / name), slurp(golden(name))) << name;
    testing::keep(folder / name);
  };
  compare("f2.npy", pattern<half>(30), {2, 3, 5});
  compare("f4.npy", pattern<float>(30), {2, 3, 5});
  compare("f8.npy", pattern<double>(30), {2, 3, 5});
  compare("i4.npy", pattern<std::int32_t>(30), {2, 3, 5});
  compare("i8.npy", pattern<std::int64_t>(30), {2, 3, 5});
  compare("u1.npy", pattern<std::uint8_t>(30), {2, 3, 5});
  compare("vector.npy", pattern<float>(9), {9});
  compare("scalar.npy", pattern<double>(1), {});
  compare("empty.npy", std::vector<float>{}, {0, 128});
  EXPECT_THROW(write_npy(folder / "x.npy", std::vector<float>(3), Shape{2}), ContractError);
}

TEST(NpyWrite, TensorsOfBothKindsOfDevice) {
  for (const bool host_memory : {true, false}) {
    const PlainDevice device(host_memory);
    const TemporaryFolder folder;
    write_npy(folder / "f4.npy", Tensor::from_host(pattern<float>(30), {2, 3, 5}));
    EXPECT_EQ(slurp(folder / "f4.npy"), slurp(golden("f4.npy")));
    write_npy(folder / "bf16.npy", Tensor::from_host(pattern<bf16>(30), {2, 3, 5}));
    EXPECT_EQ(slurp(folder / "bf16.npy"), slurp(golden("f4.npy"))) << "every bf16 value is an f32";
    write_npy(folder / "empty.npy", Tensor({0, 128}, DType::f32));
    EXPECT_EQ(slurp(folder / "empty.npy"), slurp(golden("empty.npy")));
    // Larger than the staging buffer of 8 MiB, and no multiple of it.
    const std::vector<std::int32_t> large = pattern<std::int32_t>(2'500'001);
    write_npy(folder / "large.npy", Tensor::from_host(large, {2'500'001}));
    EXPECT_EQ(read_npy(folder / "large.npy").to_host<std::int32_t>(), large);
  }
}

TEST(NpyWrite, RowsAppendedOneByOne) {
  const TemporaryFolder folder;
  const std::vector<float> values = pattern<float>(30);
  {
    NpyWriter writer(folder / "f4.npy", DType::f32, {3, 5});
    writer.append(std::span<const float>(values).first(15));
    EXPECT_FALSE(std::filesystem::exists(folder / "f4.npy"));
    writer.append(values.data() + 15, 1);
    EXPECT_EQ(writer.rows(), 2);
    EXPECT_THROW(writer.append(std::vector<float>(7)), ContractError);
    EXPECT_THROW(writer.append(std::vector<double>(15)), ContractError);
    writer.commit();
  }
  EXPECT_EQ(slurp(folder / "f4.npy"), slurp(golden("f4.npy")));
  NpyWriter vector(folder / "vector.npy", DType::f32, {});
  for (const float value : pattern<float>(9)) vector.append(std::vector<float>{value});
  vector.commit();
  EXPECT_EQ(slurp(folder / "vector.npy"), slurp(golden("vector.npy")));
  NpyWriter nothing(folder / "empty.npy", DType::f32, {128});
  nothing.commit();
  EXPECT_EQ(slurp(folder / "empty.npy"), slurp(golden("empty.npy")));

  const PlainDevice device(false);
  NpyWriter tensors(folder / "tensors.npy", DType::f32, {3, 5});
  tensors.append(Tensor::from_host(values, {2, 3, 5}));
  EXPECT_THROW(tensors.append(Tensor({2, 15}, DType::f32)), ContractError);
  tensors.commit();
  EXPECT_EQ(slurp(folder / "tensors.npy"), slurp(golden("f4.npy")));
}

TEST(NpyWrite, FullDiskKeepsTheOldArray) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.npy";
  write_npy(path, pattern<float>(9), {9});
  const std::string old = slurp(path);
  for (int n = 1; n <= 5; ++n) {
    inject_write_failure(n, ENOSPC);
    const std::string message =
        message_of<InputError>([&] { write_npy(path, pattern<double>(100'000), {100'000}); });
    inject_write_failure(0, 0);
    EXPECT_MENTIONS(message, "disk full");
    EXPECT_EQ(slurp(path), old) << "step " << n;
    EXPECT_EQ(folder.entries(), 1);
  }
}

}  // namespace
}  // namespace chorale
