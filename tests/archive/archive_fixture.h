#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/scratch_folder.h"

namespace mirror::archive::testing {

// A folder of files that the test writes.
class ArchiveTest : public ::testing::Test {
protected:
    std::filesystem::path path(const std::string& name) const { return scratch_.path() / name; }
    std::filesystem::path put(const std::string& name, const std::string& bytes) const {
        std::filesystem::create_directories(path(name).parent_path());
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }
    std::string bytes_of(const std::string& name) const {
        std::ifstream stream(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::size_t files_here() const {
        const std::filesystem::directory_iterator begin(scratch_.path());
        return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
    }

    mirror::testing::ScratchFolder scratch_;
};

}  // namespace mirror::archive::testing
