// SPDX-License-Identifier: MIT
// SIGINT and SIGTERM. A program that keeps state asks `interrupted()` between steps, saves, and returns; a
// second signal ends it at once. Programs that keep none end at the first: outputs are written beside and
// renamed.
#pragma once

namespace chorale::tools {

/// `keeps_state`: the first signal only sets the flag. Also ignores SIGPIPE and SIGXFSZ (writes fail
/// instead).
void install_signal_handlers(bool keeps_state);
/// SIGINT and SIGTERM wait from here on, also across exec, until they are released or handlers are installed.
void hold_signals();
void release_signals();
/// True once SIGINT or SIGTERM has arrived.
bool interrupted();
/// Exit code for the signal that arrived: 130 or 143; 0 if none did.
int interrupt_exit_code();

}  // namespace chorale::tools
