#include "engine/face/photograph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/face/picture_files.h"

namespace mirror::face {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::vector<std::uint8_t> pixel(const Frame& frame, int x, int y) {
    return {frame.row(y) + 3 * x, frame.row(y) + 3 * x + 3};
}

Frame decoded(const FileBytes& bytes) {
    Result<Frame> frame = decode_photograph(bytes, "sample");
    EXPECT_TRUE(frame.ok()) << frame.error().detail;
    return frame.ok() ? std::move(frame).value() : Frame{};
}

// One sentence of one line that names the file.
void expect_refused(const Result<Frame>& result, const std::string& name, const std::string& reason) {
    ASSERT_FALSE(result.ok()) << reason;
    const std::string& detail = result.error().detail;
    EXPECT_THAT(detail, HasSubstr(name));
    EXPECT_THAT(detail, HasSubstr(reason));
    EXPECT_LT(detail.size(), 300u);
    EXPECT_EQ(detail.back(), '.');
    EXPECT_EQ(detail.find('\n'), std::string::npos);
}

TEST(Photograph, ReadsLosslessFormatsExactly) {
    const Frame expected = sample_frame(21, 14);
    const cv::Mat picture = sample_picture(21, 14);
    const std::vector<int> lossless_webp{64 /* IMWRITE_WEBP_QUALITY */, 101};
    EXPECT_EQ(decoded(encoded(".png", picture)).rgb, expected.rgb);
    EXPECT_EQ(decoded(encoded(".bmp", picture)).rgb, expected.rgb);
    EXPECT_EQ(decoded(encoded(".tiff", picture)).rgb, expected.rgb);
    EXPECT_EQ(decoded(encoded(".webp", picture, lossless_webp)).rgb, expected.rgb);
}

TEST(Photograph, ReadsJpegClosely) {
    const cv::Mat picture(40, 40, CV_8UC3, cv::Scalar(30, 90, 210));
    const Frame frame = decoded(encoded(".jpg", picture, {1, 100}));
    EXPECT_NEAR(pixel(frame, 20, 20)[0], 210, 2);
    EXPECT_NEAR(pixel(frame, 20, 20)[1], 90, 2);
    EXPECT_NEAR(pixel(frame, 20, 20)[2], 30, 2);
}

TEST(Photograph, DecidesByContentNotByName) {
    const TestFolder folder;
    const auto file = folder.write("really-a-png.jpg", encoded(".png", sample_picture(9, 5)));
    const Result<Frame> frame = read_photograph(file);
    ASSERT_TRUE(frame.ok()) << frame.error().detail;
    EXPECT_EQ(frame.value().rgb, sample_frame(9, 5).rgb);
}

TEST(Photograph, WidensGreyAndNarrows16Bits) {
    cv::Mat grey(3, 4, CV_8UC1);
    cv::Mat wide(3, 4, CV_16UC3);
    for (int i = 0; i < 12; ++i) {
        grey.at<std::uint8_t>(i / 4, i % 4) = static_cast<std::uint8_t>(i * 21);
        wide.at<cv::Vec3w>(i / 4, i % 4) = cv::Vec3w(65535, static_cast<std::uint16_t>(i * 5000), 0);
    }
    for (const char* extension : {".png", ".tiff", ".bmp"}) {
        const Frame frame = decoded(encoded(extension, grey));
        EXPECT_EQ(pixel(frame, 2, 1), (std::vector<std::uint8_t>(3, 6 * 21))) << extension;
    }
    for (const char* extension : {".png", ".tiff"}) {
        const Frame frame = decoded(encoded(extension, wide));
        EXPECT_EQ(pixel(frame, 3, 2)[0], 0) << extension;
        EXPECT_NEAR(pixel(frame, 3, 2)[1], 11 * 5000 / 257.0, 1) << extension;
        EXPECT_EQ(pixel(frame, 3, 2)[2], 255) << extension;
    }
}

TEST(Photograph, PutsAlphaOnWhite) {
    cv::Mat picture(1, 3, CV_8UC4);
    picture.at<cv::Vec4b>(0, 0) = {10, 20, 200, 0};  // Colour under full transparency does not show.
    picture.at<cv::Vec4b>(0, 1) = {10, 20, 200, 255};
    picture.at<cv::Vec4b>(0, 2) = {0, 0, 0, 102};
    const Frame png = decoded(encoded(".png", picture));
    EXPECT_EQ(pixel(png, 0, 0), (std::vector<std::uint8_t>{255, 255, 255}));
    EXPECT_EQ(pixel(png, 1, 0), (std::vector<std::uint8_t>{200, 20, 10}));
    EXPECT_EQ(pixel(png, 2, 0), (std::vector<std::uint8_t>{153, 153, 153}));
    const Frame webp = decoded(encoded(".webp", picture, {64, 101}));
    EXPECT_EQ(pixel(webp, 0, 0), (std::vector<std::uint8_t>{255, 255, 255}));
    EXPECT_EQ(pixel(webp, 1, 0), (std::vector<std::uint8_t>{200, 20, 10}));
}

struct InkCase {
    std::array<std::uint8_t, 4> inks;
    std::array<int, 3> rgb;
};

TEST(Photograph, ConvertsInksWithAndWithoutAdobesInversion) {
    const std::vector<InkCase> cases{{{0, 0, 0, 0}, {255, 255, 255}},
                                     {{255, 0, 0, 0}, {0, 255, 255}},
                                     {{0, 255, 255, 0}, {255, 0, 0}},
                                     {{0, 0, 0, 255}, {0, 0, 0}},
                                     {{0, 51, 102, 128}, {127, 102, 76}}};
    for (const InkCase& c : cases)
        for (const bool adobe : {false, true}) {
            const Frame frame = decoded(ink_jpeg(16, 16, c.inks, adobe));
            for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(pixel(frame, 8, 8)[i], c.rgb[i], 2) << adobe << " " << i;
        }
}

// Where the stored pixel (x, y) of a W x H picture appears when it is shown.
struct OrientationCase {
    std::uint16_t value;
    bool sideways;
    int first_x, first_y;    // Where stored (0, 0) goes; 1 means the far end.
    int second_x, second_y;  // Where stored (W-1, 0) goes.
};

TEST(Photograph, AppliesEveryOrientation) {
    const std::vector<OrientationCase> cases{{1, false, 0, 0, 1, 0}, {2, false, 1, 0, 0, 0}, {3, false, 1, 1, 0, 1},
                                             {4, false, 0, 1, 1, 1}, {5, true, 0, 0, 0, 1},  {6, true, 1, 0, 1, 1},
                                             {7, true, 1, 1, 1, 0},  {8, true, 0, 1, 0, 0}};
    constexpr int width = 11, height = 7;
    const Frame stored = sample_frame(width, height);
    const FileBytes png = encoded(".png", sample_picture(width, height));
    for (const OrientationCase& c : cases)
        for (const bool little : {false, true}) {
            const Frame shown = decoded(with_png_exif(png, exif_block(c.value, little)));
            ASSERT_EQ(shown.width, c.sideways ? height : width);
            ASSERT_EQ(shown.height, c.sideways ? width : height);
            EXPECT_EQ(pixel(shown, c.first_x * (shown.width - 1), c.first_y * (shown.height - 1)), pixel(stored, 0, 0))
                << c.value;
            EXPECT_EQ(pixel(shown, c.second_x * (shown.width - 1), c.second_y * (shown.height - 1)),
                      pixel(stored, width - 1, 0))
                << c.value;
        }
}

// In KiB, since the last reset.
long peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    return 0;
}

TEST(Photograph, KeepsNoTexts) {
    const FileBytes file = with_png_texts(encoded(".png", sample_picture(9, 5)), 24, 15u << 20);
    std::ofstream("/proc/self/clear_refs") << 5;  // Resets the peak.
    const long before = peak_memory();
    EXPECT_EQ(decoded(file).rgb, sample_frame(9, 5).rgb);
    EXPECT_LT(peak_memory() - before, 60 << 10);
}

TEST(Photograph, ReadsTheOrientationOfJpeg) {
    const FileBytes jpeg = encoded(".jpg", sample_picture(24, 16));
    const Frame turned = decoded(with_jpeg_exif(jpeg, exif_block(6, true)));
    EXPECT_EQ(turned.width, 16);
    EXPECT_EQ(turned.height, 24);
    EXPECT_EQ(turned.rgb, upright(decoded(jpeg), 6).rgb);
}

TEST(Photograph, TakesDamagedOrImpossibleOrientationsForNone) {
    const FileBytes jpeg = encoded(".jpg", sample_picture(24, 16));
    std::vector<FileBytes> blocks;
    for (const int value : {0, 9, 65535}) blocks.push_back(exif_block(static_cast<std::uint16_t>(value), true));
    const FileBytes whole = exif_block(6, true);
    for (std::size_t size = 0; size < 28; ++size)
        blocks.emplace_back(whole.begin(), whole.begin() + static_cast<long>(size));
    FileBytes looping = whole;
    looping[4] = 0xFF;  // The directory lies far outside.
    looping[7] = 0x7F;
    blocks.push_back(looping);
    for (const FileBytes& block : blocks) {
        const Frame frame = decoded(with_jpeg_exif(jpeg, block));
        EXPECT_EQ(frame.width, 24) << block.size();
    }
}

TEST(Photograph, RefusesEveryTruncation) {
    for (const char* extension : {".jpg", ".png", ".webp", ".bmp", ".tiff"}) {
        const FileBytes whole = encoded(extension, sample_picture(64, 48));
        for (std::size_t percent = 1; percent <= 90; ++percent) {
            const FileBytes cut(whole.begin(), whole.begin() + static_cast<long>(whole.size() * percent / 100));
            const Result<Frame> frame = decode_photograph(cut, "cut" + std::string(extension));
            EXPECT_FALSE(frame.ok()) << extension << " " << percent;
        }
    }
}

TEST(Photograph, RefusesHugeHeadersWithoutDecoding) {
    FileBytes png = encoded(".png", sample_picture(8, 8));
    const auto with_size = [&](std::uint32_t width, std::uint32_t height) {
        for (int i = 0; i < 4; ++i) {
            png[16 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(width >> (24 - 8 * i));
            png[20 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(height >> (24 - 8 * i));
        }
        return inspect_photograph(png, "huge.png");
    };
    EXPECT_TRUE(with_size(65535, 4096).ok());
    EXPECT_TRUE(with_size(16384, 16384).ok());
    for (const auto& [width, height] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
             {65536, 1}, {1, 65536}, {16385, 16384}, {100000, 100000}, {1, 0x7FFFFFFF}, {0x80000001, 1}}) {
        const Result<PhotographInfo> info = with_size(width, height);
        ASSERT_FALSE(info.ok()) << width << " " << height;
        EXPECT_THAT(info.error().detail, HasSubstr("too large"));
    }
    for (const auto& [width, height] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 8}, {8, 0}})
        EXPECT_FALSE(with_size(width, height).ok());
}

// Padded to the bytes that so many pixels could need, the file alone is no reason to refuse them.
TEST(Photograph, RefusesWhatTakesTooMuchMemory) {
    FileBytes bmp = encoded(".bmp", sample_picture(8, 8));
    const auto with_side = [&](int side) {
        for (int i = 0; i < 4; ++i) {
            bmp[18 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(side >> (8 * i));
            bmp[22 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(side >> (8 * i));
        }
        bmp.resize(54 + 3 * static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
        return decode_photograph(bmp, "padded.bmp");
    };
    // Six bytes a pixel, the file's and the picture's, and the header: 6256 is the last multiple of four that fits.
    EXPECT_TRUE(with_side(6256).ok());
    expect_refused(with_side(6260), "padded.bmp", "MiB of memory");
    EXPECT_EQ(inspect_photograph(encoded(".jpg", sample_picture(8, 8)), "a.jpg").value().memory, 8 * 8 * 3);
    const FileBytes progressive = encoded(".jpg", sample_picture(8, 8), {2 /* IMWRITE_JPEG_PROGRESSIVE */, 1});
    EXPECT_EQ(inspect_photograph(progressive, "a.jpg").value().memory, 8 * 8 * (3 + 2 * 2));
}

TEST(Photograph, TakesTheFirstPictureOfAnAnimation) {
    const cv::Mat first = sample_picture(18, 12);
    const Frame frame = decoded(animated_webp({first, 255 - first, first / 2}));
    EXPECT_EQ(frame.width, 18);
    EXPECT_EQ(frame.rgb, sample_frame(18, 12).rgb);
}

TEST(Photograph, RefusesJpegsOfEndlesslyManyScans) {
    const FileBytes progressive = encoded(".jpg", sample_picture(32, 32), {2 /* IMWRITE_JPEG_PROGRESSIVE */, 1});
    EXPECT_TRUE(decode_photograph(progressive, "some.jpg").ok());
    EXPECT_TRUE(decode_photograph(repeated_scans(progressive, 400), "some.jpg").ok());
    expect_refused(decode_photograph(repeated_scans(progressive, 600), "bomb.jpg"), "bomb.jpg", "scans");
}

TEST(Photograph, RefusesWhatIsNoPhotograph) {
    const TestFolder folder;
    const auto text = [](const std::string& value) { return FileBytes(value.begin(), value.end()); };
    expect_refused(read_photograph(folder.write("empty.jpg", {})), "empty.jpg", "empty");
    expect_refused(read_photograph(folder.write("one.jpg", {0xFF})), "one.jpg", "not supported");
    expect_refused(read_photograph(folder.write("text.jpg", text("this is text\n"))), "text.jpg", "not supported");
    expect_refused(read_photograph(folder.write("a.gif", text("GIF89a\x01"))), "a.gif", "not supported");
    expect_refused(read_photograph(folder.write("a.svg", text("<svg onload='x'/>"))), "a.svg", "not supported");
    expect_refused(read_photograph(folder.write("bmw.txt", text("BMW is a car maker, not a bitmap."))), "bmw.txt",
                   "not supported");
    expect_refused(read_photograph(folder.path()), folder.path().filename().string(), "folder");
    expect_refused(read_photograph("/dev/zero"), "zero", "not a regular file");
    expect_refused(read_photograph("https://example.com/a.jpg"), "a.jpg", "cannot be read");
    expect_refused(read_photograph(folder.path() / "*.jpg"), "*.jpg", "cannot be read");

    ASSERT_EQ(::mkfifo((folder.path() / "pipe.jpg").c_str(), 0600), 0);
    expect_refused(read_photograph(folder.path() / "pipe.jpg"), "pipe.jpg", "not a regular file");
    std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "link.jpg");
    const Result<Frame> dangling = read_photograph(folder.path() / "link.jpg");
    expect_refused(dangling, "link.jpg", "cannot be read");
    EXPECT_EQ(dangling.error().code, ErrorCode::MissingFile);
}

TEST(Photograph, EscapesNamesInMessages) {
    const TestFolder folder;
    const Result<Frame> frame = read_photograph(folder.write("new\nline\x1b[31m.jpg", {1, 2, 3}));
    expect_refused(frame, "new\\nline\\x1b[31m.jpg", "not supported");
}

TEST(Photograph, ReadsAwkwardNames) {
    const TestFolder folder;
    const FileBytes png = encoded(".png", sample_picture(4, 4));
    for (const std::string name :
         {"-o", "%d.png", "a b'c\".png", "\xF0\x9F\x98\x80.png", "\xFF\xFE.png", "file:x.png"}) {
        const Result<Frame> frame = read_photograph(folder.write(name, png));
        EXPECT_TRUE(frame.ok()) << name << (frame.ok() ? "" : frame.error().detail);
    }
}

TEST(Photograph, PrintsNothing) {
    ::testing::internal::CaptureStderr();
    for (const char* extension : {".jpg", ".png", ".webp", ".bmp", ".tiff"}) {
        FileBytes bytes = encoded(extension, sample_picture(64, 48));
        for (std::size_t at = 0; at < bytes.size(); at += 3) {
            FileBytes broken = bytes;
            broken[at] ^= 0x5A;
            [[maybe_unused]] const Result<Frame> frame = decode_photograph(broken, "broken");
        }
    }
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

// Bitmaps that OpenCV does not write: header fields and rows by hand.
FileBytes bitmap(int width, int height, unsigned bits, unsigned compression, const FileBytes& palette,
                 const FileBytes& rows) {
    FileBytes file{'B', 'M'};
    const auto put = [&](unsigned value, int count) {
        for (int i = 0; i < count; ++i) file.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    const unsigned start = static_cast<unsigned>(54 + palette.size());
    put(static_cast<unsigned>(start + rows.size()), 4), put(0, 4), put(start, 4);
    put(40, 4), put(static_cast<unsigned>(width), 4), put(static_cast<unsigned>(height), 4);
    put(1, 2), put(bits, 2), put(compression, 4), put(0, 4), put(0, 4), put(0, 4);
    put(compression == 3 ? 0 : static_cast<unsigned>(palette.size() / 4), 4), put(0, 4);
    file.insert(file.end(), palette.begin(), palette.end());
    file.insert(file.end(), rows.begin(), rows.end());
    return file;
}

TEST(Photograph, ReadsRareBitmaps) {
    const FileBytes palette{0, 0, 0, 0, 30, 20, 10, 0};
    const std::vector<std::uint8_t> black{0, 0, 0}, colour{10, 20, 30};
    const Frame bits = decoded(bitmap(3, 1, 1, 0, palette, {0b01000000, 0, 0, 0}));
    EXPECT_EQ(pixel(bits, 0, 0), black);
    EXPECT_EQ(pixel(bits, 1, 0), colour);
    const Frame runs = decoded(bitmap(3, 2, 8, 1, palette, {2, 1, 1, 0, 0, 0, 3, 1, 0, 1}));
    EXPECT_EQ(pixel(runs, 0, 1), colour);
    EXPECT_EQ(pixel(runs, 2, 1), black);
    EXPECT_EQ(pixel(runs, 2, 0), colour);
    const FileBytes masks{0, 0xF8, 0, 0, 0xE0, 7, 0, 0, 0x1F, 0, 0, 0};
    const Frame fields = decoded(bitmap(1, -1, 16, 3, masks, {0x1F, 0xF8, 0, 0}));
    EXPECT_EQ(pixel(fields, 0, 0), (std::vector<std::uint8_t>{255, 0, 255}));
}

// More moves than a 32-bit number can add up, then pixels.
TEST(Photograph, RunsThatMoveForeverStayOutside) {
    constexpr int moves = (1 << 23) + (1 << 15) + 129;  // 255 times as much is just over 2^31.
    const FileBytes palette{30, 20, 10, 0, 0, 0, 0, 0};
    for (const bool up : {false, true}) {
        FileBytes rows;
        rows.reserve(4 * std::size_t{moves} + 4);
        const FileBytes move{0, 2, static_cast<std::uint8_t>(up ? 0 : 255), static_cast<std::uint8_t>(up ? 255 : 0)};
        for (int i = 0; i < moves; ++i) rows.insert(rows.end(), move.begin(), move.end());
        rows.insert(rows.end(), {16, 1, 0, 1});
        const Frame frame = decoded(bitmap(16, 16, 8, 1, palette, rows));
        ASSERT_EQ(frame.width, 16);
        EXPECT_EQ(pixel(frame, 15, 15), (std::vector<std::uint8_t>{10, 20, 30})) << up;
    }
}

}  // namespace
}  // namespace mirror::face
