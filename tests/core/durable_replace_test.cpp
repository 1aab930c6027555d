// What is under the final name is always either the old file or the complete new one, and nothing else is left behind.

#include "engine/core/durable_replace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/support/scratch_folder.h"

namespace mirror {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

class DurableReplace : public ::testing::Test {
protected:
    fs::path file(const char* name = "take.json") const { return scratch_.path() / name; }
    void put(const fs::path& path, const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
    void expect_refused(const Status& status, const char* fragment) const {
        ASSERT_FALSE(status.ok());
        EXPECT_EQ(status.error().code, ErrorCode::WriteFailed);
        EXPECT_NE(status.error().detail.find(fragment), std::string::npos) << status.error().detail;
        EXPECT_LT(status.error().detail.size(), 300u);
    }

    testing::ScratchFolder scratch_;
};

TEST_F(DurableReplace, WritesANewFile) {
    ASSERT_TRUE(durable_replace(file(), "hello").ok());
    EXPECT_EQ(content(file()), "hello");
    EXPECT_EQ(entries(scratch_.path()), 1u);
}

TEST_F(DurableReplace, WritesAnEmptyFile) {
    ASSERT_TRUE(durable_replace(file(), "").ok());
    EXPECT_TRUE(fs::exists(file()));
    EXPECT_EQ(fs::file_size(file()), 0u);
}

TEST_F(DurableReplace, ReplacesAndKeepsTheMode) {
    put(file(), "old");
    ASSERT_EQ(::chmod(file().c_str(), 0640), 0);
    ASSERT_TRUE(durable_replace(file(), "new").ok());
    EXPECT_EQ(content(file()), "new");
    struct stat info {};
    ASSERT_EQ(::stat(file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(DurableReplace, TheReplacedFileStaysReadableForWhoHasItOpen) {
    put(file(), "old");
    std::ifstream reader(file());
    ASSERT_TRUE(durable_replace(file(), "new").ok());
    std::string word;
    reader >> word;
    EXPECT_EQ(word, "old");
}

TEST_F(DurableReplace, RefusesWhatIsNoRegularFile) {
    fs::create_directory(file("folder"));
    expect_refused(durable_replace(file("folder"), "x"), "folder");
    ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
    expect_refused(durable_replace(file("pipe"), "x"), "not a regular file");
    put(file("real"), "kept");
    fs::create_symlink(file("real"), file("link"));
    expect_refused(durable_replace(file("link"), "x"), "symbolic link");
    fs::create_symlink(file("nowhere"), file("dangling"));
    expect_refused(durable_replace(file("dangling"), "x"), "symbolic link");
    expect_refused(durable_replace("/dev/null", "x"), "/dev/null");
    EXPECT_EQ(content(file("real")), "kept");
    EXPECT_EQ(entries(scratch_.path()), 5u);
}

TEST_F(DurableReplace, RefusesNamesThatAreNoFile) {
    expect_refused(durable_replace("", "x"), "not the name of a file");
    expect_refused(durable_replace(scratch_.path() / "", "x"), "not the name of a file");
    expect_refused(durable_replace(scratch_.path() / "..", "x"), "not the name of a file");
    expect_refused(durable_replace(scratch_.path() / "none" / "x", "x"), "No such file");
    put(file(), "x");
    expect_refused(durable_replace(file() / "x", "x"), "Not a directory");
    expect_refused(durable_replace(scratch_.path() / std::string(300, 'n'), "x"), "too long");
}

TEST_F(DurableReplace, ANameOfTheLargestLengthWorks) {
    const fs::path longest = scratch_.path() / std::string(255, 'n');
    ASSERT_TRUE(durable_replace(longest, "x").ok());
    EXPECT_EQ(content(longest), "x");
}

TEST_F(DurableReplace, AFullDiskKeepsTheOldFile) {
    put(file(), "old");
    // A limit on the size of files stands for a full disk; the signal would end the program before the error is seen.
    struct rlimit before {};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small { 1000, before.rlim_max };
    ::setrlimit(RLIMIT_FSIZE, &small);
    const Status status = durable_replace(file(), std::string(100'000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    expect_refused(status, "take.json");
    EXPECT_EQ(content(file()), "old");
    EXPECT_EQ(entries(scratch_.path()), 1u);
}

TEST_F(DurableReplace, ATemporaryFileThatIsDroppedDisappears) {
    put(file(), "old");
    {
        auto temporary = TemporaryFile::create_beside(file());
        ASSERT_TRUE(temporary.ok());
        ASSERT_TRUE(temporary.value().write("half").ok());
        EXPECT_EQ(entries(scratch_.path()), 2u);
        EXPECT_EQ(content(file()), "old");
        const TemporaryFile moved = std::move(temporary).value();
        EXPECT_EQ(entries(scratch_.path()), 2u);
    }
    EXPECT_EQ(entries(scratch_.path()), 1u);
    EXPECT_EQ(content(file()), "old");
}

TEST_F(DurableReplace, WritesInPieces) {
    auto temporary = TemporaryFile::create_beside(file());
    ASSERT_TRUE(temporary.ok());
    ASSERT_TRUE(temporary.value().write("one ").ok());
    ASSERT_TRUE(temporary.value().write("two").ok());
    ASSERT_TRUE(temporary.value().publish().ok());
    EXPECT_EQ(content(file()), "one two");
    EXPECT_EQ(entries(scratch_.path()), 1u);
    expect_refused(temporary.value().publish(), "already written");
}

TEST_F(DurableReplace, AnotherLibraryMayWriteTheTemporaryFile) {
    auto temporary = TemporaryFile::create_beside(file());
    ASSERT_TRUE(temporary.ok());
    put(temporary.value().path(), "by name");
    ASSERT_TRUE(temporary.value().publish().ok());
    EXPECT_EQ(content(file()), "by name");
}

TEST_F(DurableReplace, SomethingAppendedBehindItsBackIsNoticed) {
    auto temporary = TemporaryFile::create_beside(file());
    ASSERT_TRUE(temporary.ok());
    ASSERT_TRUE(temporary.value().write("12345").ok());
    ASSERT_EQ(::truncate(temporary.value().path().c_str(), 3), 0);
    expect_refused(temporary.value().publish(), "size");
    EXPECT_FALSE(fs::exists(file()));
}

TEST_F(DurableReplace, ATargetThatBecameAFolderIsNotReplaced) {
    auto temporary = TemporaryFile::create_beside(file());
    ASSERT_TRUE(temporary.ok());
    ASSERT_TRUE(temporary.value().write("x").ok());
    fs::create_directory(file());
    expect_refused(temporary.value().publish(), "folder");
}

TEST_F(DurableReplace, MakesFoldersAndNamesWhatItCannotMake) {
    ASSERT_TRUE(make_folders(file("a") / "b").ok());
    EXPECT_TRUE(fs::is_directory(file("a") / "b"));
    EXPECT_TRUE(make_folders(file("a") / "b").ok());
    put(file("plain"), "x");
    expect_refused(make_folders(file("plain") / "c"), "plain");
}

}  // namespace
}  // namespace mirror
