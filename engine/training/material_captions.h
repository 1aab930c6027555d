#pragma once

// Captions of the user's own pictures and videos: NAME.txt beside NAME.jpg, or one captions.json or captions.csv for
// the folder.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine::training {

class MaterialCaptions {
public:
    // Reads captions.json ({"a.jpg": "a woman ..."}) or captions.csv (a heading line, then file and caption; quotes as
    // in RFC 4180) if the folder has one. Errors: MalformedFile.
    static Result<MaterialCaptions> open(const std::filesystem::path& folder);

    // Of a file below the folder; the text beside it comes first. Nothing if there is none.
    std::optional<std::string> of(const std::filesystem::path& file) const;

private:
    std::filesystem::path folder_;
    std::map<std::string, std::string> known_;  // By the path below the folder, with '/'.
};

// Why a caption is no use, as the end of a sentence: it speaks of writing in the picture, names no person, or breaks
// the rules of the trigger; nothing if it is good.
std::optional<std::string> caption_objection(const std::string& caption, const std::string& trigger);

// The caption with the trigger behind its class word, and without any trigger.
std::string with_trigger(const std::string& caption, const std::string& trigger);
std::string without_trigger(const std::string& caption, const std::string& trigger);

}  // namespace mirror::engine::training
