#pragma once

// Reads the videos that people drop on the program: local files only, never what a file refers to.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/core/result.h"

namespace mirror::media {

struct VideoInfo {
    int width = 0;  // As shown: pixels after the rotation that the file asks for.
    int height = 0;
    FrameRate rate;
    std::int64_t frames = 0;  // As the file says; 0 if it does not.
    double seconds = 0;
    std::string codec;
    std::string recipe;  // The request's JSON if this program wrote the file; else empty.
};

struct Video {
    VideoInfo info;
    std::vector<Frame> frames;
};

// What the container says, without decoding. Errors: MissingFile, MalformedFile.
Result<VideoInfo> probe_video(const std::filesystem::path& file);

// Calls `take` for every frame in presentation order until it returns false. Frames that change size in the middle are
// an error.
Result<VideoInfo> decode_video(const std::filesystem::path& file, const std::function<bool(Frame)>& take);

// All frames, at most `max_frames`.
Result<Video> read_video(const std::filesystem::path& file, std::int64_t max_frames = 1025);

}  // namespace mirror::media
