// Packing: what goes in comes out, the same files make the same bytes, and a failure leaves nothing.

#include "engine/archive/pack_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <stop_token>

#include "tests/archive/archive_fixture.h"

namespace mirror::archive::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PackFilesTest : public ArchiveTest {
protected:
    PackFilesTest() {
        put("in/project.json", "{\"version\": 1}");
        put("in/references/mara.png", std::string(300'000, 'p'));
        put("in/takes/Jón 1.mp4", "");
    }
    std::vector<FileToPack> files() const {
        std::vector<FileToPack> files;
        for (const char* name : {"takes/Jón 1.mp4", "project.json", "references/mara.png"})
            files.push_back({name, path("in") / name});
        return files;
    }
    std::string refusal(const std::vector<FileToPack>& files, const PackedLimits& most = {}) const {
        const Status packed = pack_files(path("out.mirror"), files, {}, most);
        EXPECT_EQ(fs::exists(path("out.mirror")), packed.ok());
        EXPECT_EQ(files_here(), packed ? 2u : 1u);
        fs::remove(path("out.mirror"));
        return packed ? "packed" : packed.error().detail;
    }
};

}  // namespace

TEST_F(PackFilesTest, WhatGoesInComesOut) {
    const Status packed = pack_files(path("out.mirror"), files(), {});
    ASSERT_TRUE(packed) << packed.error().detail;
    const auto opened = PackedFolder::open(path("out.mirror"), "project.json", {});
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_THAT(opened.value()->names(), ElementsAre("project.json", "references/mara.png", "takes/Jón 1.mp4"));
    for (const FileToPack& file : files()) {
        const auto bytes = opened.value()->read(file.name, 1 << 20);
        ASSERT_TRUE(bytes) << bytes.error().detail;
        EXPECT_EQ(std::string(bytes.value().begin(), bytes.value().end()), bytes_of("in/" + file.name));
    }
    // Stored: what is compressed already only gets slower to read.
    EXPECT_NE(bytes_of("out.mirror").find(std::string(300'000, 'p')), std::string::npos);
}

TEST_F(PackFilesTest, TheSameFilesMakeTheSameBytes) {
    ASSERT_TRUE(pack_files(path("one.mirror"), files(), {}));
    const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
    fs::last_write_time(path("in/project.json"), yesterday);
    fs::permissions(path("in/project.json"), fs::perms::owner_read);
    std::vector<FileToPack> turned = files();
    std::swap(turned.front(), turned.back());
    ASSERT_TRUE(pack_files(path("two.mirror"), turned, {}));
    EXPECT_EQ(bytes_of("one.mirror"), bytes_of("two.mirror"));
    ASSERT_TRUE(pack_files(path("one.mirror"), {turned.front()}, {})) << "a file of this name is replaced";
    EXPECT_LT(fs::file_size(path("one.mirror")), fs::file_size(path("two.mirror")));
}

TEST_F(PackFilesTest, WhatCannotBePackedLeavesNothing) {
    EXPECT_EQ(refusal(files()), "packed");
    EXPECT_THAT(refusal({}), HasSubstr("nothing"));
    EXPECT_THAT(refusal({{"../x", path("in/project.json")}}), HasSubstr("../x"));
    EXPECT_THAT(refusal({{"x", path("in/gone")}}), HasSubstr("gone"));
    EXPECT_THAT(refusal({{"x", path("in/takes")}}), HasSubstr("not a regular file"));
    ASSERT_EQ(::mkfifo(path("in/pipe").c_str(), 0600), 0);
    EXPECT_THAT(refusal({{"x", path("in/pipe")}}), HasSubstr("not a regular file"));
    EXPECT_THAT(refusal({{"x", path("in/project.json")}, {"x", path("in/project.json")}}), HasSubstr("out.mirror"));
    EXPECT_THAT(refusal(files(), {2, 1 << 20, 1 << 20}), HasSubstr("2 files"));
    EXPECT_THAT(refusal(files(), {3, 299'999, 1 << 20}), HasSubstr("mara.png"));
    EXPECT_THAT(refusal(files(), {3, 300'000, 300'000}), HasSubstr("together"));
}

TEST_F(PackFilesTest, AStopLeavesNothing) {
    std::stop_source source;
    source.request_stop();
    const Status packed = pack_files(path("out.mirror"), files(), source.get_token());
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(files_here(), 1u);
}

}  // namespace mirror::archive::testing
