#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/core/frame.h"
#include "engine/core/result.h"
#include "engine/core/video_sink.h"

namespace mirror::media {

// The keyword of the text chunk that holds the recipe.
inline constexpr const char* png_recipe_keyword = "magic-mirror-recipe";

// Takes exactly one frame. Otherwise as make_mp4_sink().
std::unique_ptr<VideoSink> make_png_sink(std::filesystem::path file);

// An 8-bit RGB PNG, published whole or not at all. The recipe may be empty. Error: WriteFailed.
Status write_png(const std::filesystem::path& file, const Frame& picture, const std::string& recipe = {});

// The recipe of a PNG that was written above; empty if it has none.
Result<std::string> read_png_recipe(const std::filesystem::path& file);

}  // namespace mirror::media
