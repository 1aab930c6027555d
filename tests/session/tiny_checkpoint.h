#pragma once

// A complete checkpoint of the tiny preset in a temporary folder, made once for a test program and removed at its end.

#include <filesystem>

#include "engine/session/random_checkpoint.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine::testing {

using TemporaryFolder = mirror::testing::ScratchFolder;

inline const std::filesystem::path& tiny_checkpoint() {
    static const TemporaryFolder folder;
    static const std::filesystem::path checkpoint = [] {
        const auto path = folder.path() / "tiny";
        value_or_throw(init_checkpoint("tiny", 1, path));
        return path;
    }();
    return checkpoint;
}

}  // namespace mirror::engine::testing
