// The size of a network's input, written into its file.

#include "engine/formats/onnx_input_size.h"

#include <gtest/gtest.h>

#include <array>

#include "engine/formats/onnx_outline.h"
#include "tests/support/onnx_writer.h"

namespace mirror::formats {
namespace {

constexpr std::array<std::int64_t, 4> kSize{1, 3, 640, 300};

std::span<const std::byte> bytes_of(const std::string& file) {
    return std::as_bytes(std::span(file.data(), file.size()));
}

std::string network(const std::vector<std::int64_t>& input) {
    testing::OnnxWriter writer(input);
    writer.output(writer.convolution("input", 8, {{1, 2, 3}}, {0}), {1, 512});
    return writer.bytes();
}

TEST(OnnxInputSize, IsWrittenWhereItWasOpen) {
    const std::string open = network({-1, 3, -1, -1});
    ASSERT_EQ(parse_onnx_outline(bytes_of(open), "x").value().inputs[0].shape,
              (std::vector<std::int64_t>{-1, 3, -1, -1}));
    const auto sized = with_input_size(bytes_of(open), kSize, "x");
    ASSERT_TRUE(sized.ok()) << sized.error().detail;
    // Nothing else changes: the same network written with that size from the beginning.
    EXPECT_EQ(sized.value(), network({1, 3, 640, 300}));
    EXPECT_EQ(with_input_size(bytes_of(sized.value()), kSize, "x").value(), sized.value());
    EXPECT_EQ(with_input_size(bytes_of(network({1, 3, 120, 160})), kSize, "x").value(), sized.value());
}

TEST(OnnxInputSize, RefusesWhatHasNoInputOrIsDamaged) {
    const std::string file = network({1, 3, 8, 8});
    EXPECT_FALSE(with_input_size({}, kSize, "x.onnx").ok());
    for (std::size_t length = 0; length < file.size(); ++length) {
        const auto result = with_input_size(bytes_of(file).first(length), kSize, "x.onnx");
        EXPECT_TRUE(result.ok() || result.error().detail.find("x.onnx") != std::string::npos);
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
        std::string flipped = file;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
        const auto result = with_input_size(bytes_of(flipped), kSize, "x.onnx");
        EXPECT_TRUE(result.ok() || result.error().detail.size() < 300);
    }
}

}  // namespace
}  // namespace mirror::formats
