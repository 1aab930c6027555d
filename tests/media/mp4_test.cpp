#include "engine/media/mp4_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "engine/core/result.h"
#include "engine/media/video_file.h"
#include "tests/media/test_folder.h"

namespace mirror::media {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

const std::string recipe = R"({"prompt":"a woman img, \"smiling\" — 微笑","seed":18446744073709551615})";

Frame filled(int width, int height, std::array<int, 3> colour) {
    Frame frame{width, height, {}};
    for (int i = 0; i < width * height; ++i)
        for (const int value : colour) frame.rgb.push_back(static_cast<std::uint8_t>(value));
    return frame;
}

// Every frame differs, so that a lost or swapped one shows.
Frame numbered(int width, int height, int number) {
    return filled(width, height, {20 + number * 8, 128, 230 - number * 8});
}

void write_video(VideoSink& sink, const VideoSpec& spec) {
    sink.begin(spec, recipe);
    for (int i = 0; i < spec.frames; ++i) sink.write(numbered(spec.width, spec.height, i));
    sink.finish();
}

std::string contents(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

TEST(Mp4, KeepsEveryFrameInOrderWithItsTime) {
    const TestFolder folder;
    for (const auto& [frames, rate] : std::vector<std::pair<int, FrameRate>>{
             {1, {8, 1}}, {2, {8, 1}}, {25, {8, 1}}, {9, {30000, 1001}}, {5, {1, 2}}}) {
        const auto file = folder.path() / "clip.mp4";
        write_video(*make_mp4_sink(file), {64, 48, frames, rate});
        const Result<Video> video = read_video(file);
        ASSERT_TRUE(video.ok()) << video.error().detail;
        ASSERT_EQ(static_cast<int>(video.value().frames.size()), frames);
        for (int i = 0; i < frames; ++i)
            EXPECT_NEAR(video.value().frames[static_cast<std::size_t>(i)].row(20)[3 * 30], 20 + i * 8, 3) << i;
        EXPECT_EQ(video.value().info.rate, rate);
        EXPECT_EQ(video.value().info.frames, frames);
        EXPECT_NEAR(video.value().info.seconds, double(frames) * rate.denominator / rate.numerator, 0.01);
        EXPECT_EQ(video.value().info.codec, "h264");
    }
}

TEST(Mp4, KeepsColours) {
    const TestFolder folder;
    const std::vector<std::array<int, 3>> colours{{0, 0, 0},     {255, 255, 255}, {128, 128, 128}, {255, 0, 0},
                                                  {0, 255, 0},   {0, 0, 255},     {255, 255, 0},   {0, 255, 255},
                                                  {255, 0, 255}, {200, 150, 120}, {90, 60, 40},    {17, 34, 51}};
    const auto file = folder.path() / "colours.mp4";
    const auto sink = make_mp4_sink(file);
    sink->begin({64, 64, static_cast<int>(colours.size()), {8, 1}}, recipe);
    for (const auto& colour : colours) sink->write(filled(64, 64, colour));
    sink->finish();
    const Result<Video> video = read_video(file);
    ASSERT_TRUE(video.ok());
    for (std::size_t i = 0; i < colours.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c)
            EXPECT_NEAR(video.value().frames[i].row(32)[3 * 32 + c], colours[i][c], 4) << i << " " << c;
}

TEST(Mp4, SaysWhatItHolds) {
    const TestFolder folder;
    const auto file = folder.path() / "clip.mp4";
    write_video(*make_mp4_sink(file), {128, 96, 17, {8, 1}});
    EXPECT_EQ(probe_video(file).value().recipe, recipe);
    const std::string bytes = contents(file);
    EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
    const std::string command =
        "ffprobe -v error -show_entries stream=codec_name,pix_fmt,color_range,color_space,"
        "color_transfer,color_primaries -of csv=p=0 '" +
        file.string() + "'";
    FILE* const probe = ::popen(command.c_str(), "r");
    std::array<char, 200> line{};
    ASSERT_NE(std::fgets(line.data(), line.size(), probe), nullptr);
    ::pclose(probe);
    EXPECT_STREQ(line.data(), "h264,yuv420p,tv,bt709,bt709,bt709\n");
}

// Blocks of noise that drift from frame to frame, as an unfinished picture has them: flat frames leave the encoder no
// choice.
std::vector<Frame> drifting_noise(int width, int height, int frames) {
    std::mt19937 random(7);
    std::vector<Frame> clip;
    for (int f = 0; f < frames; ++f) {
        Frame frame = f == 0 ? filled(width, height, {128, 128, 128}) : clip.back();
        for (int y = 0; y < height; ++y) {
            for (int i = 0; i < width * 3; ++i) {
                const int drift = static_cast<int>(random() % 61) - 30 + (((y / 8) * 5 + i / 24 + f) % 7 - 3) * 12;
                frame.row(y)[i] = static_cast<std::uint8_t>(std::clamp(frame.row(y)[i] + drift, 0, 255));
            }
        }
        clip.push_back(frame);
    }
    return clip;
}

TEST(Mp4, WhatLiesInFreshMemoryDoesNotReachTheFile) {
    const TestFolder folder;
    std::string first;
    for (const int byte : {0, 85, 170, 1, 77}) {
        ::mallopt(M_PERTURB, byte);
        const auto file = folder.path() / "clip.mp4";
        const auto sink = make_mp4_sink(file);
        sink->begin({64, 48, 9, {8, 1}}, recipe);
        for (const Frame& frame : drifting_noise(64, 48, 9)) sink->write(frame);
        sink->finish();
        if (first.empty()) first = contents(file);
        EXPECT_EQ(contents(file), first) << byte;
    }
    ::mallopt(M_PERTURB, 0);
}

TEST(Mp4, SameFramesMakeTheSameFile) {
    const TestFolder folder;
    write_video(*make_mp4_sink(folder.path() / "a.mp4"), {64, 48, 9, {8, 1}});
    write_video(*make_mp4_sink(folder.path() / "b.mp4"), {64, 48, 9, {8, 1}});
    EXPECT_EQ(contents(folder.path() / "a.mp4"), contents(folder.path() / "b.mp4"));
}

TEST(Mp4, WritesUnderAwkwardNames) {
    const TestFolder folder;
    for (const std::string name : {"-y.mp4", "http:x.mp4", "%03d.mp4", "no suffix", "new\nline.mp4", "\xFF.mp4"}) {
        write_video(*make_mp4_sink(folder.path() / name), {32, 32, 2, {8, 1}});
        EXPECT_EQ(read_video(folder.path() / name).value().frames.size(), 2u) << name;
    }
}

TEST(Mp4, NothingIsVisibleBeforeTheEndAndNothingStaysAfterFailure) {
    const TestFolder folder;
    const auto file = folder.path() / "clip.mp4";
    folder.write("clip.mp4", "what was there before");
    {
        const auto sink = make_mp4_sink(file);
        sink->begin({64, 48, 9, {8, 1}}, recipe);
        sink->write(numbered(64, 48, 0));
        EXPECT_EQ(contents(file), "what was there before");
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"clip.mp4"});
    {
        const auto sink = make_mp4_sink(file);
        sink->begin({64, 48, 9, {8, 1}}, recipe);
        EXPECT_THROW(sink->write(numbered(64, 64, 0)), EngineError);
        EXPECT_THROW(sink->finish(), EngineError);  // No frames.
    }
    EXPECT_EQ(contents(file), "what was there before");
    EXPECT_EQ(folder.names(), std::vector<std::string>{"clip.mp4"});
    write_video(*make_mp4_sink(file), {64, 48, 2, {8, 1}});
    EXPECT_EQ(read_video(file).value().frames.size(), 2u);
}

TEST(Mp4, ReplacesOnlyRegularFiles) {
    const TestFolder folder;
    std::filesystem::create_directory(folder.path() / "folder.mp4");
    ASSERT_EQ(::mkfifo((folder.path() / "pipe.mp4").c_str(), 0600), 0);
    folder.write("real.mp4", "real");
    std::filesystem::create_symlink(folder.path() / "real.mp4", folder.path() / "link.mp4");
    for (const char* name : {"folder.mp4", "pipe.mp4", "link.mp4", "missing/clip.mp4"}) {
        try {
            write_video(*make_mp4_sink(folder.path() / name), {32, 32, 1, {8, 1}});
            FAIL() << name;
        } catch (const EngineError& error) {
            EXPECT_EQ(error.code(), ErrorCode::WriteFailed);
            EXPECT_THAT(error.what(), HasSubstr(".mp4"));
        }
    }
    EXPECT_EQ(contents(folder.path() / "real.mp4"), "real");
}

TEST(Mp4, RefusesImpossibleVideos) {
    const TestFolder folder;
    for (const VideoSpec& spec :
         {VideoSpec{63, 48, 1, {8, 1}}, VideoSpec{64, 0, 1, {8, 1}}, VideoSpec{64, 48, 1, {0, 1}},
          VideoSpec{64, 48, 1, {8, 0}}, VideoSpec{16384, 48, 1, {8, 1}}})
        EXPECT_THROW(make_mp4_sink(folder.path() / "a.mp4")->begin(spec, recipe), EngineError);
    EXPECT_TRUE(folder.names().empty());
}

// A limit on the file's size stands for a full disk: both end write() with an error.
TEST(Mp4, SaysInOneSentenceThatTheDiskIsFull) {
    const TestFolder folder;
    const auto file = folder.path() / "clip.mp4";
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{2000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
        const auto sink = make_mp4_sink(file);
        sink->begin({320, 240, 30, {8, 1}}, recipe);
        for (int i = 0; i < 30; ++i) {
            Frame noise = numbered(320, 240, i % 20);
            for (std::size_t k = 0; k < noise.rgb.size(); ++k)
                noise.rgb[k] = static_cast<std::uint8_t>(k * k * 7 + k / 3);
            sink->write(noise);
        }
        sink->finish();
    } catch (const EngineError& error) {
        message = error.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(message, HasSubstr("clip.mp4"));
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_TRUE(folder.names().empty()) << message;
}

TEST(VideoFile, RefusesWhatIsNoVideo) {
    const TestFolder folder;
    folder.write("empty.mp4", "");
    folder.write("text.mp4", "hello");
    folder.write("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n");
    folder.write("concat.txt", "ffconcat version 1.0\nfile '/etc/passwd'\n");
    ASSERT_EQ(::mkfifo((folder.path() / "pipe.mp4").c_str(), 0600), 0);
    ::testing::internal::CaptureStderr();
    for (const char* name : {"empty.mp4", "text.mp4", "list.m3u8", "concat.txt", "pipe.mp4", "missing.mp4"}) {
        const Result<VideoInfo> info = probe_video(folder.path() / name);
        ASSERT_FALSE(info.ok()) << name;
        EXPECT_THAT(info.error().detail, HasSubstr(name));
        EXPECT_LT(info.error().detail.size(), 300u);
        EXPECT_EQ(info.error().detail.back(), '.');
    }
    EXPECT_FALSE(probe_video(folder.path()).ok());
    EXPECT_FALSE(probe_video("/dev/zero").ok());
    EXPECT_FALSE(probe_video("http://127.0.0.1:1/a.mp4").ok());
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(VideoFile, StopsWhereItIsAskedAndSurvivesTruncation) {
    const TestFolder folder;
    const auto file = folder.path() / "clip.mp4";
    write_video(*make_mp4_sink(file), {64, 48, 17, {8, 1}});
    EXPECT_EQ(read_video(file, 5).value().frames.size(), 5u);
    const std::string whole = contents(file);
    for (std::size_t percent = 5; percent < 100; percent += 5) {
        folder.write("cut.mp4", whole.substr(0, whole.size() * percent / 100));
        const Result<Video> video = read_video(folder.path() / "cut.mp4");
        if (video.ok()) {
            EXPECT_LE(video.value().frames.size(), 17u);
        }
    }
}

}  // namespace
}  // namespace mirror::media
