// SPDX-License-Identifier: MIT
#include "cluster/bootstrap.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "kernels/philox.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

class Bootstrap : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

std::size_t index_of(std::string_view name) {
  return static_cast<std::size_t>(std::find(metric_names.begin(), metric_names.end(), name) -
                                  metric_names.begin());
}

TEST_F(Bootstrap, IntervalsHoldTheMetricsAndShrinkWithMorePoints) {
  std::vector<double> width;
  for (const std::int64_t n : {150, 2400}) {
    const test::Data data = test::blobs(n, 4, 3, 160);
    std::vector<std::int32_t> predicted = data.truth;
    for (std::size_t i = 0; i < predicted.size(); i += 5) predicted[i] = static_cast<std::int32_t>(i / 5 % 3);
    const Evaluation e = evaluate(data.x, predicted, data.truth);
    const auto intervals = bootstrap(e, data.x, predicted, data.truth, {.n_resamples = 300});
    for (std::size_t m = 0; m < intervals.size(); ++m) {
      ASSERT_TRUE(intervals[m].low && intervals[m].high) << metric_names[m] << ": " << intervals[m].reason;
      EXPECT_LT(*intervals[m].low, *intervals[m].high) << metric_names[m];
      // Davies-Bouldin and the mutual information are biased upwards in resamples, by less than the interval.
      const double slack = *intervals[m].high - *intervals[m].low;
      EXPECT_LT(*intervals[m].low - 0.5 * slack, *e.metrics[m].value) << metric_names[m];
      EXPECT_GT(*intervals[m].high + 0.5 * slack, *e.metrics[m].value) << metric_names[m];
    }
    const Interval& purity = intervals[index_of("cluster_purity")];
    width.push_back(*purity.high - *purity.low);
  }
  EXPECT_NEAR(width[0] / width[1], 4.0, 1.2) << "16 times the points";
}

// The purity of two classes in one cluster each way is a share: its standard error is sqrt(p (1 - p) / n).
TEST_F(Bootstrap, WidthOfAShareIsTheBinomialOne) {
  const std::int64_t n = 1000;
  const test::Data data = test::blobs(n, 2, 2, 24);
  std::vector<std::int32_t> truth = data.truth;
  for (std::size_t i = 0; i < 200; ++i) truth[i] = 1 - truth[i];
  const Evaluation e = evaluate(data.x, data.truth, truth);
  const Interval purity = bootstrap(e, data.x, data.truth, truth,
                                    {.n_resamples = 2000, .confidence = 0.9})[index_of("cluster_purity")];
  const double expected = 2 * 1.6449 * std::sqrt(0.2 * 0.8 / static_cast<double>(n));
  EXPECT_NEAR(*purity.high - *purity.low, expected, 0.1 * expected);
}

TEST_F(Bootstrap, SameBitsForAnyNumberOfThreads) {
  const test::Data data = test::blobs(200, 5, 4, 96);
  const Evaluation e = evaluate(data.x, data.truth, data.truth);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = bootstrap(e, data.x, data.truth, data.truth, {.n_resamples = 50});
  omp_set_num_threads(3);
  const auto three = bootstrap(e, data.x, data.truth, data.truth, {.n_resamples = 50});
  omp_set_num_threads(before);
  for (std::size_t m = 0; m < one.size(); ++m) {
    EXPECT_EQ(one[m].low, three[m].low);
    EXPECT_EQ(one[m].high, three[m].high);
  }
}

TEST_F(Bootstrap, SaysWhyThereIsNoInterval) {
  const test::Data data = test::blobs(30, 3, 3, 24);
  const Evaluation unlabelled = evaluate(data.x, data.truth);
  const auto without = bootstrap(unlabelled, data.x, data.truth, {}, {.n_resamples = 20});
  EXPECT_TRUE(without[0].low.has_value());
  EXPECT_FALSE(without[index_of("v_measure")].low.has_value());
  EXPECT_EQ(without[index_of("v_measure")].reason, "no labels to compare with");
  // The only point of the second cluster is drawn in about 63 of 100 resamples.
  std::vector<std::int32_t> lone(30, 0);
  lone[7] = 1;
  const Evaluation rare = evaluate(data.x, lone);
  const Interval ch = bootstrap(rare, data.x, lone, {}, {.n_resamples = 200})[1];
  EXPECT_FALSE(ch.low.has_value());
  EXPECT_NE(ch.reason.find("of 200 resamples only"), std::string::npos) << ch.reason;
  EXPECT_THROW(bootstrap(rare, data.x, lone, {}, {.n_resamples = 0}), UsageError);
  EXPECT_THROW(bootstrap(rare, data.x, lone, {}, {.confidence = 1.0}), UsageError);
}

}  // namespace
}  // namespace chorale::cluster
