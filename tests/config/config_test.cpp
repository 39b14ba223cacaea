// SPDX-License-Identifier: MIT
// The configuration: its files, its flags, and everything that YAML allows and a configuration must not.
#include "tools/common/config.h"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <limits>
#include <locale>

#include "tests/harness/temporary_folder.h"
#include "tools/common/yaml.h"

namespace chorale::tools {
namespace {

using chorale::testing::message_of;
using chorale::testing::TemporaryFolder;

Config from(const std::string& yaml) {
  Config config;
  config.read_text(yaml, "run.yaml");
  return config;
}

std::string refusal(const std::string& yaml) {
  const std::string message = message_of<UsageError>([&] { from(yaml).check(); });
  EXPECT_MENTIONS(message, "run.yaml");
  EXPECT_LT(message.size(), 700u);
  return message;
}

std::string source(const std::string& name) { return std::string(CHORALE_SOURCE_DIR) + "/configs/" + name; }

TEST(Schema, NamesAreUniqueAndDefaultsAreAllowed) {
  std::map<std::string, int> seen;
  for (const ConfigKey& key : config_schema()) {
    EXPECT_EQ(seen[key.name]++, 0) << key.name;
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_EQ(std::count(key.name.begin(), key.name.end(), '.'), 1) << key.name;
  }
  const Config defaults;
  defaults.check();
  EXPECT_EQ(from(defaults.dump()).dump(), defaults.dump());
}

TEST(ConfigFiles, DefaultFileHoldsEveryKeyAtItsDefault) {
  Config config;
  config.read(source("config.yaml"));
  config.check();
  EXPECT_EQ(config.dump(), Config().dump());
  for (const ConfigKey& key : config_schema()) {
    EXPECT_TRUE(config.given(key.name)) << key.name << " is missing in configs/config.yaml";
  }
}

TEST(ConfigFiles, ReferenceFileIsComplete) {
  Config config;
  config.read(source("reference.yaml"));
  config.check();
  for (const ConfigKey& key : config_schema()) EXPECT_TRUE(config.given(key.name)) << key.name;
  EXPECT_EQ(config.integers("model.hidden"), (std::vector<std::int64_t>{16, 32, 64}));
  EXPECT_EQ(config.text("model.likelihood"), "squared_error");
  EXPECT_EQ(config.text("model.reduction"), "mean");
  EXPECT_EQ(config.real("training.learning_rate"), 1e-4);
}

TEST(ConfigFiles, ValuesOriginsAndFlags) {
  Config config =
      from("training:\n  epochs: 7\n  learning_rate: 1e-3\nclustering:\n  n_clusters:\n    - 3\n    - 4\n");
  EXPECT_EQ(config.integer("training.epochs"), 7);
  EXPECT_EQ(config.real("training.learning_rate"), 1e-3);
  EXPECT_EQ(config.integers("clustering.n_clusters"), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(config.origin("training.epochs"), "run.yaml:2");
  EXPECT_EQ(config.origin("training.batch_size"), "default");
  EXPECT_FALSE(config.given("training.batch_size"));
  config.set_from_flag({"training.epochs", "9", "--epochs"});
  config.set_from_flag({"clustering.n_clusters", "8,9", "--n-clusters"});
  config.set_from_flag({"model.likelihood", "laplace", "--likelihood"});
  config.set_from_flag({"training.seed", "18446744073709551615", "--seed"});
  EXPECT_EQ(config.integer("training.epochs"), 9);
  EXPECT_EQ(config.origin("training.epochs"), "--epochs");
  EXPECT_EQ(config.integers("clustering.n_clusters"), (std::vector<std::int64_t>{8, 9}));
  EXPECT_EQ(config.text("model.likelihood"), "laplace");
  EXPECT_EQ(config.unsigned_integer("training.seed"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(from(config.dump()).dump(), config.dump());
  EXPECT_THROW(config.integer("training.none"), ContractError);
  EXPECT_THROW(config.integer("training.learning_rate"), ContractError);
  EXPECT_THROW(config.set_from_flag({"x.y", "1", "--x"}), ContractError);
}

TEST(ConfigFlags, BadValuesNameTheOption) {
  const auto flag = [](const std::string& key, const std::string& value) {
    Config config;
    return message_of<UsageError>([&] { config.set_from_flag({key, value, "--flag"}); });
  };
  EXPECT_EQ(flag("training.epochs", "0"), "--flag: out of range: 0 (allowed 1 to 1e+06)");
  EXPECT_EQ(flag("training.learning_rate", "-1"), "--flag: out of range: -1 (allowed above 0 to 10)");
  EXPECT_EQ(flag("training.epochs", ""), "--flag: not a whole number: '' (allowed 1 to 1e+06)");
  EXPECT_MENTIONS(flag("clustering.n_clusters", "3,,4"), "--flag: not a whole number: ''");
  EXPECT_MENTIONS(flag("clustering.n_clusters", ""), "--flag: not a whole number");
  EXPECT_MENTIONS(flag("training.seed", "-1"),
                  "--flag: not a whole number: -1 (allowed 0 to 18446744073709551615)");
  EXPECT_MENTIONS(flag("training.optimizer", "adamm"), "perhaps adam");
}

TEST(ConfigKeys, UnknownOnesAreNamedWithTheNearest) {
  EXPECT_EQ(refusal("training:\n  epochs: 3\n  learing_rate: 1\n"),
            "run.yaml:3: unknown key: training.learing_rate (perhaps training.learning_rate)");
  EXPECT_MENTIONS(refusal("epochs: 3"), "run.yaml:1: unknown key: epochs (perhaps training.epochs)");
  EXPECT_MENTIONS(refusal("features:\n  epochs: 3"), "perhaps training.epochs");
  EXPECT_MENTIONS(refusal("qwertyuiop: 3"), "see configs/config.yaml");
  EXPECT_MENTIONS(refusal("training: 5"), "unknown key: training");
  EXPECT_MENTIONS(refusal("training:\n  epochs:\n    deep: 1"), "unknown key: training.epochs.deep");
  EXPECT_MENTIONS(refusal("<<: {training: {epochs: 3}}"), "unknown key: <<.training.epochs");
  EXPECT_MENTIONS(refusal(std::string(1000, 'x') + ": 3"), "unknown key: xxx");
}

TEST(ConfigKeys, DuplicatesAreRefused) {
  EXPECT_EQ(refusal("training:\n  epochs: 3\n  seed: 1\n  epochs: 4\n"),
            "run.yaml:4: duplicate key: training.epochs (first on line 2)");
  EXPECT_MENTIONS(refusal("training:\n  epochs: 3\ntraining:\n  seed: 4\n"),
                  "duplicate key: training (first on line 1)");
  EXPECT_MENTIONS(refusal("training: {epochs: 3, \"epochs\": 4}"), "duplicate key");
}

TEST(ConfigValues, OnlyWhatTheTypeAllows) {
  const auto bad = [](const std::string& key, const std::string& value) {
    const std::string message = refusal("training:\n  " + key + ": " + value + "\n");
    EXPECT_MENTIONS(message, "run.yaml:2: ");
    EXPECT_MENTIONS(message, "training." + key);
    return message;
  };
  for (const char* value : {"1e400", "-1e400", ".nan", "NaN", ".inf", "-.Inf", "inf", "0x1p3", "\"0.1\"",
                            "0,5", "1_0.5", "one", "true", "01.5", "+-1"}) {
    EXPECT_MENTIONS(bad("learning_rate", value), "not a finite number");
  }
  for (const char* value : {"0x10", "010", "0o10", "1e2", "3.0", "1_000", "\"3\"", "'3'", "+3", "yes", "3 4",
                            "99999999999999999999"}) {
    EXPECT_MENTIONS(bad("epochs", value), "not a whole number");
  }
  for (const char* value : {"0", "-1", "2147483648"})
    EXPECT_MENTIONS(bad("batch_size", value), "(allowed 1 to 65536)");
  for (const char* value : {"0", "-1", "1e9"})
    EXPECT_MENTIONS(bad("learning_rate", value), "(allowed above 0 to 10)");
  EXPECT_MENTIONS(bad("epochs", "[1, 2]"), "not a whole number: a list");
  EXPECT_MENTIONS(bad("epochs", "~"), "no value for training.epochs");
  EXPECT_MENTIONS(bad("epochs", "null"), "no value for training.epochs");
  EXPECT_MENTIONS(bad("epochs", ""), "no value for training.epochs");
  EXPECT_MENTIONS(bad("optimizer", "no"), "unknown value");
  EXPECT_MENTIONS(bad("optimizer", "ADAM"), "(allowed adamw, adam, sgd)");
  EXPECT_MENTIONS(bad("seed", "-1"), "not a whole number");
  EXPECT_MENTIONS(bad("seed", "18446744073709551616"), "not a whole number");
  EXPECT_EQ(from("training:\n  seed: 0").unsigned_integer("training.seed"), 0u);
  EXPECT_EQ(from("training:\n  optimizer: \"sgd\"").text("training.optimizer"), "sgd");
}

TEST(ConfigValues, Lists) {
  const auto bad = [](const std::string& value) {
    return refusal("clustering:\n  n_clusters: " + value + "\n");
  };
  EXPECT_MENTIONS(bad("5"), "not a list: 5");
  EXPECT_MENTIONS(bad("[]"), "empty list");
  EXPECT_MENTIONS(bad("[5, 0]"), "out of range: 0");
  EXPECT_MENTIONS(bad("[5, x]"), "not a whole number: x");
  EXPECT_MENTIONS(bad("[5, [6]]"), "list within a list");
  EXPECT_MENTIONS(bad("[5, {a: 6}]"), "mapping within a list");
  EXPECT_MENTIONS(bad("[5, ~]"), "no value");
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ", 1";
  EXPECT_MENTIONS(bad(many + "]"), "list too long: 65 entries");
}

TEST(ConfigValues, RangesOfEveryKeyAreChecked) {
  for (const ConfigKey& key : config_schema()) {
    Config config;
    const bool number = std::isfinite(key.range.low);
    const bool chosen = !key.choices.empty();
    const bool yes_or_no = std::holds_alternative<bool>(key.initial);
    EXPECT_TRUE(number || chosen || yes_or_no || key.name == "training.seed")
        << key.name << " takes anything";
    if (!number) continue;
    EXPECT_TRUE(std::isfinite(key.range.high)) << key.name;
    for (const char* value : {"-1", "10000000000"}) {
      EXPECT_THROW(config.set_from_flag({key.name, value, "--x"}), UsageError)
          << key.name << " takes " << value;
    }
  }
}

TEST(ConfigRules, BetweenKeys) {
  EXPECT_EQ(refusal("features:\n  hop_length: 4096\n"),
            "run.yaml:2: features.hop_length: longer than a frame: 4096 (allowed 1 to n_fft, 2048)");
  EXPECT_MENTIONS(refusal("features:\n  fmax: 20000\n"),
                  "above half the sample rate: 20000 (allowed 0 to 11025)");
  EXPECT_MENTIONS(refusal("features:\n  fmin: 8000\n  fmax: 4000\n"), "features.fmin: not below fmax: 8000");
  EXPECT_MENTIONS(refusal("features:\n  fmin: 11025\n"), "not below fmax");
  EXPECT_MENTIONS(refusal("features:\n  n_mfcc: 200\n"), "more coefficients than mel bands: 200");
  EXPECT_MENTIONS(refusal("features:\n  n_fft: 2054\n"),
                  "n_fft: no length of a transform: 2054 (allowed even");
  EXPECT_MENTIONS(refusal("features:\n  win_length: 2049\n"), "win_length: longer than a frame: 2049");
  EXPECT_MENTIONS(refusal("features:\n  n_mels: 1026\n"), "(allowed 1 to 1 + n_fft / 2, 1025)");
  EXPECT_MENTIONS(refusal("features:\n  delta_width: 8\n"), "delta_width: even: 8");
  EXPECT_MENTIONS(refusal("features:\n  delta_width: 3\n  delta_order: 3\n"), "(allowed 1 to 2)");
  EXPECT_MENTIONS(refusal("features:\n  center: false\n  duration: 0.05\n"), "features.center is false");
  EXPECT_MENTIONS(refusal("features:\n  center: no\n"), "features.center");
  Config config;
  config.set_from_flag({"features.hop_length", "4096", "--hop-length"});
  EXPECT_MENTIONS(message_of<UsageError>([&] { config.check(); }), "--hop-length: longer");
}

TEST(YamlAttacks, AnchorsAliasesTagsAndDocuments) {
  std::string laughs = "a: &a [x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [*" + static_cast<char>(c - 1) + ", *" +
              static_cast<char>(c - 1) + "]\n";
  }
  EXPECT_MENTIONS(refusal(laughs), "anchors and aliases are not allowed");
  EXPECT_MENTIONS(refusal("a: &a {b: *a}"), "anchors and aliases");
  EXPECT_MENTIONS(refusal("training: {epochs: *x}"), "run.yaml:1: ");
  EXPECT_MENTIONS(refusal("training:\n  epochs: !!int 3"), "tags are not allowed");
  EXPECT_MENTIONS(refusal("training:\n  epochs: !python/object:os.system 3"), "tags are not allowed");
  EXPECT_MENTIONS(refusal("!!map {training: {epochs: 3}}"), "tags are not allowed");
  EXPECT_MENTIONS(refusal("training: {epochs: 3}\n---\ntraining: {epochs: 4}\n"),
                  "more than one YAML document");
  EXPECT_MENTIONS(refusal("%YAML 9.9\n---\ntraining: {epochs: 3}\n"), "run.yaml");
}

TEST(YamlAttacks, ShapeAndCharacters) {
  EXPECT_MENTIONS(refusal("training:\n\tepochs: 3\n"), "run.yaml:2: tab character (allowed: spaces)");
  EXPECT_MENTIONS(refusal(std::string("training: {epochs: 3}\0", 22)), "control character");
  EXPECT_MENTIONS(refusal("- 1\n- 2\n"), "a list stands where a key is expected");
  EXPECT_MENTIONS(refusal("hello"), "not a mapping");
  EXPECT_MENTIONS(refusal("[a, b]: 3"), "stands where a key is expected");
  EXPECT_MENTIONS(refusal("{a: b}: 3"), "run.yaml:1: ");
  EXPECT_MENTIONS(refusal("a: {b: {c: {d: {e: 1}}}}"), "nested deeper than 4 levels");
  EXPECT_MENTIONS(refusal("training: {epochs: 3"), "malformed YAML");
  EXPECT_MENTIONS(refusal("training: \"open"), "malformed YAML");
  EXPECT_MENTIONS(refusal("a: b: c"), "malformed YAML");
  EXPECT_MENTIONS(refusal("training:\n  epochs: 3\n seed: 4\n"), "malformed YAML");
  EXPECT_MENTIONS(refusal(std::string(100'000, '[')), "too many brackets");
  EXPECT_MENTIONS(refusal(std::string(100'000, '{')), "too many brackets");
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  refusal(deep);
  std::string dashes;
  for (int i = 0; i < 20'000; ++i) dashes += "- ";
  refusal(dashes);
  std::string marks;
  for (int i = 0; i < 20'000; ++i) marks += "? ";
  refusal(marks);
  std::string many = "training:\n  epochs: [";
  for (int i = 0; i < 20'000; ++i) many += "1,";
  EXPECT_MENTIONS(refusal(many + "1]"), "more than 10000 values");
  refusal("\xff\xfe");
  refusal("training:\n  optimizer: \"\xc3\x28\"\n");
}

TEST(YamlFiles, EmptyOnesChangeNothing) {
  for (const char* text :
       {"", "\n\n", "# nothing\n", "---\n", "---\n...\n", "\xef\xbb\xbf# byte order mark\n"}) {
    EXPECT_EQ(from(text).dump(), Config().dump()) << text;
  }
  EXPECT_EQ(from("training: {epochs: 3}\r\nfeatures:\r\n  n_fft: 1024\r\n").integer("features.n_fft"), 1024);
}

TEST(YamlFiles, FaultsOfTheFile) {
  const TemporaryFolder folder;
  Config config;
  EXPECT_MENTIONS(message_of<InputError>([&] { config.read(folder / "none.yaml"); }), "No such file");
  EXPECT_MENTIONS(message_of<InputError>([&] { config.read(folder.path()); }), "is a directory");
  const std::string large = folder.file("large.yaml", std::string(1 << 20, '#'));
  EXPECT_MENTIONS(message_of<InputError>([&] { config.read(large); }), "too large");
}

TEST(YamlScalar, ReadsBackTheSame) {
  for (const std::string& text :
       {std::string("plain_1.5/x"), std::string(""), std::string("null"), std::string("a: b #c"),
        std::string("\"quoted\" \\ back"), std::string("line\nbreak\ttab\x7f"), std::string("বাংলা"),
        std::string(" lead"), std::string("~"), std::string("- x"), std::string("&a"), std::string("%y")}) {
    const std::vector<YamlItem> items = parse_yaml("key: " + yaml_scalar(text) + "\n", "x");
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].values.at(0).text, text);
  }
}

struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// A comma as the decimal point must change neither reading nor writing. The C library's locale joins in where
// one of that kind is installed.
TEST(Locale, DoesNotMatter) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"}) {
    if (std::setlocale(LC_ALL, name)) break;
  }
  const Config config = from("model:\n  dropout: 0.25\ntraining:\n  batch_size: 4096\n");
  const std::string dump = config.dump();
  std::setlocale(LC_ALL, "C");
  std::locale::global(before);
  EXPECT_EQ(config.real("model.dropout"), 0.25);
  EXPECT_MENTIONS(dump, "dropout: 0.25\n");
  EXPECT_MENTIONS(dump, "batch_size: 4096\n");
}

}  // namespace
}  // namespace chorale::tools
