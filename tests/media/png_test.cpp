#include "engine/media/png_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include "tests/media/test_folder.h"

namespace mirror::media {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

Frame pattern(int width, int height) {
    Frame frame{width, height, {}};
    for (int i = 0; i < width * height * 3; ++i) frame.rgb.push_back(static_cast<std::uint8_t>(i * 31 + i / 7));
    return frame;
}

// libpng's simple reader, as any other program would read it.
Frame read_back(const std::filesystem::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, file.c_str())) return {};
    image.format = PNG_FORMAT_RGB;
    Frame frame{static_cast<int>(image.width), static_cast<int>(image.height), {}};
    frame.rgb.resize(PNG_IMAGE_SIZE(image));
    png_image_finish_read(&image, nullptr, frame.rgb.data(), 0, nullptr);
    return frame;
}

TEST(Png, KeepsPixelsAndRecipe) {
    const TestFolder folder;
    const std::string recipe = R"({"prompt":"ein Mädchen — 微笑","seed":7})";
    const auto file = folder.path() / "a.png";
    const auto sink = make_png_sink(file);
    sink->begin({37, 21, 1, {8, 1}}, recipe);
    sink->write(pattern(37, 21));
    EXPECT_TRUE(folder.names().empty());
    sink->finish();
    EXPECT_EQ(read_back(file).width, 37);
    EXPECT_EQ(read_back(file).rgb, pattern(37, 21).rgb);
    EXPECT_EQ(read_png_recipe(file).value(), recipe);
}

TEST(Png, WorksWithoutRecipe) {
    const TestFolder folder;
    const auto file = folder.path() / "crop.png";
    ASSERT_TRUE(write_png(file, pattern(5, 9)).ok());
    EXPECT_EQ(read_back(file).rgb, pattern(5, 9).rgb);
    EXPECT_EQ(read_png_recipe(file).value(), "");
}

TEST(Png, SinkWantsExactlyOneFrameOfItsSize) {
    const TestFolder folder;
    const auto file = folder.path() / "a.png";
    const auto sink = make_png_sink(file);
    sink->begin({8, 8, 1, {8, 1}}, "{}");
    EXPECT_THROW(sink->finish(), EngineError);
    EXPECT_THROW(sink->write(pattern(8, 9)), EngineError);
    sink->write(pattern(8, 8));
    EXPECT_THROW(sink->write(pattern(8, 8)), EngineError);
    EXPECT_TRUE(folder.names().empty());
}

TEST(Png, RefusesTargetsThatAreNoFiles) {
    const TestFolder folder;
    std::filesystem::create_directory(folder.path() / "a.png");
    for (const auto& file : {folder.path() / "a.png", folder.path() / "missing" / "b.png"}) {
        const Status written = write_png(file, pattern(4, 4));
        ASSERT_FALSE(written.ok());
        EXPECT_EQ(written.error().code, ErrorCode::WriteFailed);
        EXPECT_THAT(written.error().detail, HasSubstr(".png"));
        EXPECT_THROW(make_png_sink(file)->begin({4, 4, 1, {8, 1}}, "{}"), EngineError);
    }
    EXPECT_THROW(make_png_sink(folder.path() / "many.png")->begin({4, 4, 9, {8, 1}}, "{}"), EngineError);
    EXPECT_FALSE(write_png(folder.path() / "c.png", Frame{}).ok());
    folder.write("text.png", "no picture");
    EXPECT_FALSE(read_png_recipe(folder.path() / "text.png").ok());
    EXPECT_FALSE(read_png_recipe(folder.path() / "none.png").ok());
}

}  // namespace
}  // namespace mirror::media
