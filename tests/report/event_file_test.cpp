// SPDX-License-Identifier: MIT
// Event files: records are whole, fields are where TensorBoard reads them (tests/golden/read_events.py asks
// TensorBoard itself).
#include "report/event_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "tensor/file.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::report {
namespace {

namespace fs = std::filesystem;

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::vector<std::string> records(const std::string& path) {
  const std::string bytes = read_file_bounded(path, 1 << 20);
  std::vector<std::string> all;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = number_at<std::uint64_t>(bytes, at);
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 8), masked_crc32c(bytes.substr(at, 8)));
    all.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 12 + length), masked_crc32c(all.back()));
    at += 16 + length;
  }
  return all;
}

std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  return files;
}

class EventFiles : public ::testing::Test {
 protected:
  chorale::testing::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
};

TEST(Crc32c, OfTheStandardsCheckString) {
  const std::uint32_t crc = 0xe3069283u;  // RFC 3720's CRC of "123456789"
  EXPECT_EQ(masked_crc32c("123456789"), (crc >> 15 | crc << 17) + 0xa282ead8u);
}

TEST_F(EventFiles, HoldStepsTagsAndValues) {
  {
    EventFile events(folder_);
    events.write(1, {{"loss/train", 0.5}, {"loss/validation", std::numeric_limits<double>::quiet_NaN()}});
    events.write(300, {{"loss/train", -2.0}});
  }
  const auto files = event_files(folder_);
  ASSERT_EQ(files.size(), 1u);
  const auto all = records(files[0]);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(all[0].find("brain.Event:2"), std::string::npos);
  EXPECT_NEAR(number_at<double>(all[1], 1), static_cast<double>(std::time(nullptr)), 60);
  EXPECT_EQ(all[1].substr(9, 2), std::string("\x10\x01"));  // field 2: the step
  EXPECT_EQ(all[2].substr(9, 3), std::string("\x10\xac\x02"));
  const std::string value = std::string("\x0a\x0aloss/train\x15");
  const std::size_t at = all[1].find(value);
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(number_at<float>(all[1], at + value.size()), 0.5f);
  EXPECT_EQ(all[1].find("loss/validation"), std::string::npos);
}

TEST_F(EventFiles, ReplaceThoseOfAnEarlierRun) {
  write_file(folder_ + "/events.out.tfevents.1.host.2", "old");
  const EventFile events(folder_);
  EXPECT_EQ(event_files(folder_), std::vector<std::string>{events.path()});
}

TEST_F(EventFiles, RefuseAFolderThatIsNotThere) { EXPECT_THROW(EventFile(folder_ + "/none"), InputError); }

TEST_F(EventFiles, ProjectorHoldsARowForEachCode) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  const Tensor codes = Tensor::from_host(std::vector<float>{1, 2.5f, -3, 4}, {2, 2});
  write_projector(folder_, codes, {"title", "genre"}, {{"A\tsong", "B"}, {"pop", "rai"}});
  EXPECT_EQ(read_file_bounded(folder_ + "/latents.tsv", 1000), "1\t2.5\n-3\t4\n");
  EXPECT_EQ(read_file_bounded(folder_ + "/latents_metadata.tsv", 1000),
            "title\tgenre\nA song\tpop\nB\trai\n");
}

}  // namespace
}  // namespace chorale::report
