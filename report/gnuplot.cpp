// SPDX-License-Identifier: MIT
#include "report/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "kernels/error.h"

extern char** environ;

namespace chorale::report {
namespace {

// Paul Tol's "muted" and "bright" schemes: told apart by colour-blind readers, too.
constexpr std::array<const char*, 16> palette = {
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#332288", "#DDCC77",
    "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499", "#777777", "#CC6677"};
constexpr std::array<int, 5> point_types = {7, 5, 9, 13, 11};

/// A gnuplot string in single quotes, in which only the quote itself is special.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "'";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 9);
  return {text, end.ptr};
}

/// Runs gnuplot on `script`; the figure goes to a temporary that takes its final name at the end.
void draw(const std::string& path, const std::string& size, const std::string& script) {
  const std::string temporary = path + ".new" + std::to_string(::getpid());
  const std::string whole = "set encoding utf8\nset terminal pngcairo noenhanced size " + size +
                            " font 'Noto Sans,11'\nset output " + quoted(temporary) + "\n" + script + "\n";
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    throw Error("gnuplot: no pipe: " + std::string(std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[0], STDIN_FILENO);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  char program[] = "gnuplot";
  char* arguments[] = {program, nullptr};
  const int failed = ::posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[0]);
  if (failed) {
    ::close(pipe_ends[1]);
    throw Error("gnuplot: cannot be started: " + std::string(std::strerror(failed)) +
                " (package gnuplot-nox)");
  }
  for (std::size_t done = 0; done < whole.size();) {
    const ssize_t n = ::write(pipe_ends[1], whole.data() + done, whole.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  ::close(pipe_ends[1]);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::error_code error;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::filesystem::remove(temporary, error);
    throw Error("gnuplot: failed on " + path + ": exit status " + std::to_string(WEXITSTATUS(status)));
  }
  std::filesystem::rename(temporary, path, error);
  if (error) throw InputError(path + ": cannot be written: " + error.message());
}

/// One data block and one plot clause per class.
std::string scatter_commands(const ScatterPlot& plot) {
  if (plot.x.size() != plot.y.size() || plot.x.size() != plot.classes.size())
    throw ContractError("scatter plot: x, y and classes differ in length");
  std::map<std::string, std::string> points;
  for (std::size_t i = 0; i < plot.x.size(); ++i)
    points[plot.classes[i]] += number(plot.x[i]) + " " + number(plot.y[i]) + "\n";
  std::string blocks, clauses;
  std::size_t k = 0;
  for (const auto& [name, lines] : points) {
    const std::string block = "$class" + std::to_string(k);
    blocks += block + " << EOD\n" + lines + "EOD\n";
    clauses += std::string(k ? ", " : "plot ") + block + " using 1:2 with points pt " +
               std::to_string(point_types[(k / palette.size()) % point_types.size()]) + " ps 0.8 lc rgb " +
               quoted(palette[k % palette.size()]) + " title " + quoted(name);
    ++k;
  }
  const bool many = points.size() > 12;
  return blocks + "set title " + quoted(plot.title) + "\nset key outside right top " +
         (many ? "maxrows 24 font ',8' samplen 0.5" : "") + "\nset grid lc rgb '#DDDDDD'\nset format '%g'\n" +
         (clauses.empty() ? "" : clauses + "\n");
}

}  // namespace

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  for (std::string rest = path ? path : ""; !rest.empty();) {
    const auto colon = rest.find(':');
    const std::string folder = rest.substr(0, colon);
    if (!folder.empty() && ::access((folder + "/gnuplot").c_str(), X_OK) == 0) return true;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return false;
}

void write_scatter(const std::string& path, const ScatterPlot& plot) {
  draw(path, "900,640", scatter_commands(plot));
}

void write_scatter_panels(const std::string& path, const std::vector<ScatterPlot>& plots) {
  if (plots.empty()) throw ContractError("scatter plot: no panels");
  const std::string n = std::to_string(plots.size());
  std::string script = "set multiplot layout 1," + n + "\n";
  for (const ScatterPlot& plot : plots) script += scatter_commands(plot);
  draw(path, std::to_string(720 * plots.size()) + ",560", script + "unset multiplot");
}

void write_curves(const std::string& path, const std::string& title, const std::string& x_label,
                  const std::string& y_label, const std::vector<Curve>& curves) {
  std::string blocks, clauses;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    blocks += "$curve" + std::to_string(k) + " << EOD\n";
    for (std::size_t i = 0; i < curves[k].x.size(); ++i)
      blocks += number(curves[k].x[i]) + " " + number(curves[k].y[i]) + "\n";
    blocks += "EOD\n";
    clauses += std::string(k ? ", " : "plot ") + "$curve" + std::to_string(k) +
               " using 1:2 with lines lw 2 lc rgb " + quoted(palette[k % palette.size()]) + " title " +
               quoted(curves[k].name);
  }
  draw(path, "900,420",
       blocks + "set title " + quoted(title) + "\nset xlabel " + quoted(x_label) + "\nset ylabel " +
           quoted(y_label) + "\nset grid lc rgb '#DDDDDD'\nset key top right\n" + clauses);
}

}  // namespace chorale::report
