#pragma once

// Recipes that name another one: {"based_on": "pocket-9-adapter-pictures.json", "output": "...", ...} is that recipe
// with these keys instead of its own.

#include <filesystem>
#include <string>

namespace mirror::engine::training {

// The text of a recipe as it counts. Objects are merged key by key, anything else replaces what was there, null takes
// it away (RFC 7396); "based_on" is a file beside the recipe. A recipe that names none is returned as it is, byte by
// byte. EngineError (MissingFile, MalformedFile) names the file.
std::string recipe_text(const std::filesystem::path& file);

}  // namespace mirror::engine::training
