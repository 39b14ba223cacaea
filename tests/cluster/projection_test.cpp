// SPDX-License-Identifier: MIT
// Figures' maps of any matrix, however small.
#include "cluster/projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cluster/pca.h"
#include "cluster/tsne.h"
#include "tests/cluster/kmeans_setup.h"

namespace chorale::cluster {
namespace {

using test::scattered;
using Projection = test::OnCpu;

TEST_F(Projection, MapsMatricesOfAnySize) {
  for (const char* method : {"pca", "tsne", "umap"})
    for (const std::int64_t n : {1, 2, 3, 4, 5, 40})
      for (const std::int64_t d : {1, 2, 7}) {
        const Tensor plane = project_to_plane(scattered(n, d), method, 3);
        EXPECT_EQ(plane.shape(), (Shape{n, 2})) << method;
        for (const float value : plane.to_host<float>()) EXPECT_TRUE(std::isfinite(value)) << method << n;
      }
}

TEST_F(Projection, IsThatOfTheMethod) {
  const Tensor x = scattered(50, 4);
  EXPECT_EQ(project_to_plane(x, "pca").to_host<float>(),
            pca(x, {.n_components = 2}).transform(x).to_host<float>());
  EXPECT_EQ(project_to_plane(x, "tsne", 5).to_host<float>(),
            tsne(x, {.perplexity = 49 / 3.0, .random_state = 5}).embedding_.to_host<float>());
  EXPECT_NE(project_to_plane(x, "umap", 5).to_host<float>(), project_to_plane(x, "umap", 6).to_host<float>());
}

TEST_F(Projection, RefusesByName) {
  EXPECT_EQ(test::message_of([] { project_to_plane(scattered(3, 2), "isomap"); }, 2),
            "projection: unknown: isomap (allowed umap, tsne, pca)");
  EXPECT_THROW(project_to_plane(Tensor::full({2, 2}, NAN), "pca"), InputError);
}

}  // namespace
}  // namespace chorale::cluster
