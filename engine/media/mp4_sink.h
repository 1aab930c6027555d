#pragma once

#include <filesystem>
#include <memory>

#include "engine/core/video_sink.h"

namespace mirror::media {

struct Mp4Options {
    int quality = 16;  // x264's constant rate factor: 0 (lossless) to 51.
};

// H.264 in MP4, bt709, index at the front, the recipe in the `comment`. Written beside `file` under a name of its own,
// read back, and only then moved to `file`. A file is replaced only if it is a regular one.
std::unique_ptr<VideoSink> make_mp4_sink(std::filesystem::path file, Mp4Options options = {});

}  // namespace mirror::media
