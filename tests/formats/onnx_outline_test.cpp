// Inputs and outputs of ONNX files; damaged ones are refused or read, never more.

#include "engine/formats/onnx_outline.h"

#include <gtest/gtest.h>

#include "tests/support/onnx_writer.h"

namespace mirror::formats {
namespace {

Result<OnnxOutline> parse(const std::string& file) {
    return parse_onnx_outline(std::as_bytes(std::span(file.data(), file.size())), "x.onnx");
}

std::string network() {
    testing::OnnxWriter writer({1, 3, 112, 112});
    writer.output(writer.convolution("input", 8, {{1, 2, 3}}, {0}));
    return writer.bytes();
}

TEST(OnnxOutline, ReadsInputsAndOutputs) {
    const auto outline = parse(network());
    ASSERT_TRUE(outline.ok()) << outline.error().detail;
    ASSERT_EQ(outline.value().inputs.size(), 1u);
    EXPECT_EQ(outline.value().inputs[0].name, "input");
    EXPECT_EQ(outline.value().inputs[0].shape, (std::vector<std::int64_t>{1, 3, 112, 112}));
    ASSERT_EQ(outline.value().outputs.size(), 1u);
    EXPECT_TRUE(outline.value().outputs[0].shape.empty());
    EXPECT_EQ(outline.value().first_operations, std::vector<std::string>{"Conv"});
}

TEST(OnnxOutline, SurvivesDamage) {
    const std::string file = network();
    for (std::size_t length = 0; length < file.size(); ++length) {
        const auto result = parse(file.substr(0, length));
        EXPECT_TRUE(result.ok() || result.error().detail.size() < 300);
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
        std::string flipped = file;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x7f);
        const auto result = parse(flipped);
        EXPECT_TRUE(result.ok() || result.error().detail.find('\n') == std::string::npos);
    }
    EXPECT_FALSE(parse("").ok());
    EXPECT_FALSE(parse(std::string(64, '\xff')).ok());
    EXPECT_FALSE(parse("no protobuf at all").ok());
}

}  // namespace
}  // namespace mirror::formats
