#pragma once

// The user's own pictures and videos as the trainer sees them. Reading files and finding faces is the work of others;
// the trainer only knows this.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/core/result.h"

namespace mirror::engine::training {

// Not thread-safe. No exception leaves it.
class MaterialReader {
public:
    virtual ~MaterialReader() = default;

    // The upright picture. Errors: MissingFile, MalformedFile.
    virtual Result<Frame> picture(const std::filesystem::path& file) = 0;
    // The video from its beginning, at so many frames a second and at most `count` of them; fewer if it is shorter.
    virtual Result<std::vector<Frame>> clip(const std::filesystem::path& file, double frames_per_second,
                                            std::int64_t count) = 0;
    // Every face, the largest and most central first.
    virtual Result<std::vector<FaceBox>> faces(const Frame& picture) = 0;
    // Which detector that is, as a text: what another one has judged is judged again.
    virtual std::string detector() const = 0;
};

}  // namespace mirror::engine::training
