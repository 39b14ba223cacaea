// SPDX-License-Identifier: MIT
// Errors that a user may see. Each type carries the exit code of the programs; the message is one line,
// `<file, option or op>: <what is wrong>: <value seen> (allowed ...)`, without the leading "error: ".
#pragma once
#include <stdexcept>
#include <string>

namespace chorale {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, int exit_code = 1)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

/// Wrong usage or configuration: exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, 2) {}
};

/// Bad input data or file: exit code 3.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(message, 3) {}
};

/// No device, a device fault, or out of memory: exit code 4.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(message, 4) {}
};

/// Non-finite results that training or clustering cannot go on from: exit code 5.
class NumericalError : public Error {
 public:
  explicit NumericalError(const std::string& message) : Error(message, 5) {}
};

/// A peer process failed or disagrees: exit code 6.
class PeerError : public Error {
 public:
  explicit PeerError(const std::string& message) : Error(message, 6) {}
};

/// A call that breaks an interface's contract (shape, dtype, range); exit code 1. Shows a bug, not bad input.
class ContractError : public Error {
 public:
  explicit ContractError(const std::string& message) : Error(message, 1) {}
};

}  // namespace chorale
