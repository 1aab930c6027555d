#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"

namespace mirror::media::testing {

// An empty folder that is gone at the end of the test.
class TestFolder {
public:
    const std::filesystem::path& path() const { return scratch_.path(); }

    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path() / name, std::ios::binary) << bytes;
    }

    // What it holds, hidden files too.
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path())) found.push_back(entry.path().filename());
        std::sort(found.begin(), found.end());
        return found;
    }

private:
    mirror::testing::ScratchFolder scratch_;
};

}  // namespace mirror::media::testing
