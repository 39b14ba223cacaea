// SPDX-License-Identifier: MIT
// Times of one piece of clustering work on a matrix from a file, for the comparison with other libraries.
#pragma once

namespace chorale::bench {

/// True if --matrix stands on the command line.
bool wants_matrix(int argc, char** argv);

/// Runs the work of the command line and prints a line of JSON for each repeat: wall and processor seconds
/// and what measures the result's quality. Returns the exit code.
int measure_matrix(int argc, char** argv);

}  // namespace chorale::bench
