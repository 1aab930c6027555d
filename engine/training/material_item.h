#pragma once

// One file of the user's own: from pixels to an item, or to the reason why not.

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engine/training/material_set.h"

namespace mirror::engine::training {

enum class MaterialKind { Other, Picture, Video };

// By the ending of the name.
MaterialKind kind_of(const std::filesystem::path& file);

struct MadeItem {
    MaterialItem item;
    std::uint64_t hash = 0;  // Perceptual.
    bool padded = false;     // Black bars at the sides.
};

// The end of a sentence: "its face is 40 pixels large, less than 128".
struct Reason {
    Reason(std::string words) : text(std::move(words)) {}
    // Of what went wrong with looking at the file; another time it may go well.
    static Reason of_this_time(const std::string& words) {
        Reason reason(words);
        reason.lasts = false;
        return reason;
    }

    std::string text;
    bool lasts = true;
};

using ItemOrReason = std::variant<MadeItem, Reason>;

ItemOrReason make_item(const std::filesystem::path& file, const MaterialOptions& options,
                       const MaterialSources& sources);

// To the cache and back. Nothing if there is no such file, or not one of this kind.
void save_item(const std::filesystem::path& file, const MadeItem& made);
std::optional<MadeItem> load_item(const std::filesystem::path& file);

}  // namespace mirror::engine::training
