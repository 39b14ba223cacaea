// SPDX-License-Identifier: MIT
// What batch and group normalisation share once the statistics are known. x is `groups` matrices [rows,
// columns]; column c of group g has mean[at], rstd[at] with at = g stride + c / width:
//
//   batch norm   stride = 0, width = 1: statistics by column for all groups
//   group norm   stride = statistics of a sample, width = columns of each
//
//   xhat = (x - mean) rstd                  y = dropout(activation(gamma xhat + beta))
//   g = dropout(dy) activation'(gamma xhat + beta)
//   dx = rstd (gamma g - mean_g - xhat mean_gx), mean_g and mean_gx the means of gamma g and gamma g xhat
//   over the elements that share statistics
//
// f32; xhat, masks and g are computed again in each pass rather than stored.
#pragma once
#include "kernels/context.h"
#include "kernels/cpu/lines.h"
#include "kernels/params.h"
#include "kernels/view.h"

namespace chorale::cpu {

struct Normalisation {
  const float *gamma, *beta, *mean, *rstd;
  std::int64_t stride, width;
  Activation activation;
  float slope;
  ChannelDropout dropout = {};
  const StepState* state = nullptr;
};

/// The matrices that masks are drawn for: samples where a channel is dropped as a whole, else all rows in
/// one.
Lines dropout_lines(const ConstView& x, const ChannelDropout& dropout);

/// Bytes moved: x + y.
void normalise_forward(const ConstView& x, const Lines& lines, const Normalisation& n, const View& y);

/// sums [groups, 2, columns] of g and g xhat. Bytes moved: dy + x.
void normalise_gradient_sums(Context& context, const ConstView& dy, const ConstView& x, const Lines& lines,
                             const Normalisation& n, double* sums);

/// mean_g, mean_gx at the statistics' places. Bytes moved: dy + x + dx.
void normalise_backward(const ConstView& dy, const ConstView& x, const Lines& lines, const Normalisation& n,
                        const float* mean_g, const float* mean_gx, const View& dx);

// ---- checks ----
void check_normalisation(const char* kernel, const ConstView& x, std::initializer_list<ConstView> like_x,
                         std::initializer_list<ConstView> columns);
void check_gradient(const char* kernel, const ConstView& x, Activation activation);
void check_dropout(const char* kernel, const ConstView& x, const ChannelDropout& dropout,
                   const StepState* state);

}  // namespace chorale::cpu
