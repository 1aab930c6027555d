#pragma once

// Photographs as people keep them, read as the engine wants them: upright, 8-bit RGB, alpha on white.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/core/result.h"

namespace mirror::face {

enum class PhotographFormat { Jpeg, Png, WebP, Bmp, Tiff };

// What the header says.
struct PhotographInfo {
    PhotographFormat format = PhotographFormat::Jpeg;
    int width = 0;  // As stored, before the orientation is applied.
    int height = 0;
    int orientation = 1;      // EXIF, 1 to 8.
    std::int64_t memory = 0;  // Bytes that it takes to decode it, at most, beside the file's.
};

// The bytes of a regular file. Errors: MissingFile, MalformedFile (a folder, device, pipe; empty; too large).
Result<std::vector<std::uint8_t>> read_photograph_bytes(const std::filesystem::path& file);

// Decides the format by content and checks the limits of engine/core/limits.h against the header, before anything is
// decoded. `name` is what the sentence calls the file, fit for a message.
Result<PhotographInfo> inspect_photograph(std::span<const std::uint8_t> bytes, const std::string& name);

// The upright picture of a file, whatever its name. The first picture of an animation or of several pages counts.
Result<Frame> read_photograph(const std::filesystem::path& file);

// As above, from memory.
Result<Frame> decode_photograph(std::span<const std::uint8_t> bytes, const std::string& name);

// The stored picture turned and mirrored so that EXIF `orientation` becomes 1.
Frame upright(Frame stored, int orientation);

}  // namespace mirror::face
