// Typed reading of config files: every refusal names file and key.

#include "engine/weights/config_reader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "engine/core/limits.h"
#include "engine/core/result.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

const char* const kText = R"({
  "layers": 4, "large": 18446744073709551615, "half": 0.5, "whole": 2.0, "yes": true, "name": "t5", "nothing": null,
  "list": [1, 2, 3], "mixed": [1, "x"], "words": ["a", "b"], "inner": {"depth": 2, "more": {"x": 1}}
})";

ConfigReader reader() { return ConfigReader::parse(kText, "config.json"); }

std::string refusal(const std::function<void(const ConfigReader&)>& read) {
    try {
        read(reader());
        return "accepted";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::MalformedFile);
        return error.what();
    }
}

TEST(ConfigReader, ReadsEveryKind) {
    const auto config = reader();
    EXPECT_EQ(config.integer("layers", 4, 4), 4);
    EXPECT_EQ(config.integer_or("none", 7, 0, 1), 7);
    EXPECT_EQ(config.integer_or("nothing", 7, 0, 1), 7);  // null counts as absent
    EXPECT_DOUBLE_EQ(config.number("half", 0, 1), 0.5);
    EXPECT_DOUBLE_EQ(config.number("layers", 0, 10), 4.0);
    EXPECT_DOUBLE_EQ(config.number_or("none", 0.25, 0, 1), 0.25);
    EXPECT_TRUE(config.boolean("yes"));
    EXPECT_FALSE(config.boolean_or("none", false));
    EXPECT_EQ(config.text("name"), "t5");
    EXPECT_EQ(config.text_or("none", "x"), "x");
    EXPECT_EQ(config.choice("name", {"clip", "t5"}), "t5");
    EXPECT_EQ(config.integers("list", 1, 3), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(config.numbers("list", 1, 3), (std::vector<double>{1, 2, 3}));
    EXPECT_EQ(config.texts("words"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(config.object("inner").integer("depth", 0, 9), 2);
    EXPECT_TRUE(config.has("list"));
    EXPECT_FALSE(config.has("nothing"));
    EXPECT_FALSE(config.has("none"));
    EXPECT_EQ(config.object("inner").keys(), (std::vector<std::string>{"depth", "more"}));
}

TEST(ConfigReader, AnObjectOutlivesItsReader) {
    const ConfigReader inner = ConfigReader::parse(kText, "x").object("inner").object("more");
    EXPECT_EQ(inner.integer("x", 0, 1), 1);
}

TEST(ConfigReader, RefusalsNameFileAndKey) {
    using R = const ConfigReader&;
    const std::vector<std::pair<std::function<void(R)>, const char*>> cases = {
        {[](R r) { r.integer("none", 0, 1); }, "config.json: none is missing."},
        {[](R r) { r.integer("nothing", 0, 1); }, "config.json: nothing is missing."},
        {[](R r) { r.integer("layers", 5, 9); }, "config.json: layers must be an integer from 5 to 9."},
        {[](R r) { r.integer("layers", 0, 3); }, "config.json: layers must be an integer from 0 to 3."},
        {[](R r) { r.integer("whole", 0, 3); }, "config.json: whole must be an integer, not a number."},
        {[](R r) { r.integer("name", 0, 3); }, "config.json: name must be an integer, not a string."},
        {[](R r) { r.integer("large", 0, 3); }, "config.json: large must be an integer from 0 to 3."},
        {[](R r) { r.integer_or("yes", 1, 0, 3); }, "config.json: yes must be an integer, not a boolean."},
        {[](R r) { r.number("half", 1, 2); }, "config.json: half must be a number from 1 to 2, not 0.5."},
        {[](R r) { r.number("list", 1, 2); }, "config.json: list must be a number, not a list."},
        {[](R r) { r.boolean("layers"); }, "config.json: layers must be true or false, not an integer."},
        {[](R r) { r.text("inner"); }, "config.json: inner must be a string, not an object."},
        {[](R r) {
             r.choice("name", {"a", "b"});
         },
         "config.json: name must be one of a, b, not t5."},
        {[](R r) { r.integers("mixed", 0, 9); }, "config.json: mixed must be a list of integers from 0 to 9."},
        {[](R r) { r.integers("list", 0, 2); }, "config.json: list must be a list of integers from 0 to 2."},
        {[](R r) { r.integers("layers", 0, 2); }, "config.json: layers must be a list of integers, not an integer."},
        {[](R r) { r.texts("mixed"); }, "config.json: mixed must be a list of strings."},
        {[](R r) { r.object("list"); }, "config.json: list must be an object, not a list."},
        {[](R r) { r.object("inner").integer("none", 0, 1); }, "config.json: inner.none is missing."},
        {[](R r) { r.object("inner").object("more").text("x"); },
         "config.json: inner.more.x must be a string, not an integer."},
        {[](R r) { r.object("inner").refuse_unknown({"depth"}); }, "config.json: inner.more is unknown."},
    };
    for (const auto& [read, sentence] : cases) EXPECT_EQ(refusal(read), sentence);
}

TEST(ConfigReader, FilesAreCheckedBeforeTheyAreParsed) {
    testing::ScratchFolder scratch;
    const auto file = scratch.path() / "config.json";
    const auto code_of = [&] {
        try {
            ConfigReader::open(file);
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find("config.json"), std::string::npos) << error.what();
            return error.code();
        }
        return ErrorCode::Internal;
    };
    EXPECT_EQ(code_of(), ErrorCode::MissingFile);
    std::ofstream(file) << "[1]";
    EXPECT_EQ(code_of(), ErrorCode::MalformedFile);
    std::ofstream(file) << "{\"a\": 1, \"a\": 2}";
    EXPECT_EQ(code_of(), ErrorCode::MalformedFile);
    std::ofstream(file) << "{}" << std::string(limits::kConfigBytes - 2, ' ');
    EXPECT_NO_THROW(ConfigReader::open(file));
    std::ofstream(file) << "{}" << std::string(limits::kConfigBytes - 1, ' ');
    EXPECT_EQ(code_of(), ErrorCode::MalformedFile);
}

}  // namespace
}  // namespace mirror::engine
