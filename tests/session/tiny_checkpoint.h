#pragma once

// A complete checkpoint of the tiny preset in a temporary folder, made once for a test program and removed at its end.

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "engine/session/random_checkpoint.h"

namespace mirror::engine::testing {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mirror-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
        path_ = pattern;
    }
    ~TemporaryFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

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
