// What a killed program left is taken away by the next one that writes to the same place, and nothing else is.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/temporary_folder.h"
#include "engine/core/temporary_names.h"
#include "tests/support/scratch_folder.h"

namespace mirror {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLeft = ".take.mp4.0123456789ab.part";

class Temporaries : public ::testing::Test {
protected:
    fs::path place(const std::string& name) const { return scratch_.path() / name; }
    void put(const std::string& name) const { std::ofstream(place(name), std::ios::binary) << "left"; }
    std::set<std::string> names() const {
        std::set<std::string> found;
        for (const auto& entry : fs::directory_iterator(scratch_.path())) found.insert(entry.path().filename());
        return found;
    }

    testing::ScratchFolder scratch_;
};

// A child that does `work` and is killed while it holds what that made.
template <typename Work>
void killed_after(const Work& work) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto held = work();
        static_cast<void>(::write(ready[1], "x", 1));
        for (;;) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(TemporaryNames, HaveOneForm) {
    EXPECT_TRUE(is_temporary_name(kLeft));
    EXPECT_TRUE(is_temporary_name(temporary_name("/a/take.mp4").filename().native()));
    EXPECT_TRUE(is_temporary_name(temporary_name("/a/" + std::string(255, 'n')).filename().native()));
    for (const char* other :
         {"", ".part", "..0123456789ab.part", "take.mp4.0123456789ab.part", ".take.mp4.0123456789a.part",
          ".take.mp4.0123456789AB.part", ".take.mp4.0123456789abc.part", ".take.mp4.0123456789ab.part~",
          ".take.mp4-0123456789ab.part", ".take.mp4.0123456789ag.part", ".take.mp4.0123456789ab"})
        EXPECT_FALSE(is_temporary_name(other)) << other;
}

TEST_F(Temporaries, OfAKilledProgramAreRemovedByTheNext) {
    killed_after([&] { return TemporaryFile::create_beside(place("take.mp4")); });
    ASSERT_EQ(names().size(), 1u);
    ASSERT_TRUE(durable_replace(place("other.json"), "x").ok());
    EXPECT_EQ(names(), std::set<std::string>{"other.json"});
}

TEST_F(Temporaries, OfARunningProgramStay) {
    auto running = TemporaryFile::create_beside(place("take.mp4"));
    ASSERT_TRUE(running.ok());
    ASSERT_TRUE(durable_replace(place("take.mp4"), "second").ok());
    ASSERT_TRUE(running.value().write("first").ok());
    EXPECT_EQ(names().size(), 2u);
    EXPECT_TRUE(running.value().publish().ok());
    EXPECT_EQ(names(), std::set<std::string>{"take.mp4"});
}

TEST_F(Temporaries, OnlyOwnRegularFilesOfTheExactNameAreRemoved) {
    for (const char* kept : {"take.mp4.0123456789ab.part", ".take.mp4.part", ".take.mp4.0123456789AB.part", "x.part"})
        put(kept);
    const auto before = names();
    put(kLeft);
    put("target");
    fs::create_symlink(place("target"), place(".a.0123456789ab.part"));
    fs::create_directory(place(".b.0123456789ab.part"));
    ASSERT_EQ(::mkfifo(place(".c.0123456789ab.part").c_str(), 0600), 0);
    remove_stale_files(scratch_.path());
    auto wanted = before;
    wanted.insert({"target", ".a.0123456789ab.part", ".b.0123456789ab.part", ".c.0123456789ab.part"});
    EXPECT_EQ(names(), wanted);
}

TEST_F(Temporaries, AFileOfAnotherUserStays) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make a file of another user";
    put(kLeft);
    ASSERT_EQ(::chown(place(kLeft).c_str(), 12345, 12345), 0);
    remove_stale_files(scratch_.path());
    EXPECT_EQ(names(), std::set<std::string>{kLeft});
}

TEST_F(Temporaries, ManyWritersInOneFolderDoNotDisturbEachOther) {
    std::vector<std::jthread> writers;
    std::atomic<int> failures = 0;
    for (int writer = 0; writer < 8; ++writer)
        writers.emplace_back([&, writer] {
            for (int round = 0; round < 40; ++round)
                if (!durable_replace(place("file" + std::to_string(writer % 3)), std::string(1000, 'x')).ok())
                    ++failures;
        });
    writers.clear();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(names(), (std::set<std::string>{"file0", "file1", "file2"}));
}

TEST_F(Temporaries, AFolderIsThereAsAWholeOrNotAtAll) {
    const fs::path target = place("a") / "b" / "model";
    {
        auto folder = TemporaryFolder::create_for(target);
        ASSERT_TRUE(folder.ok());
        ASSERT_TRUE(durable_replace(folder.value().path() / "index", "x").ok());
        EXPECT_FALSE(fs::exists(target));
    }
    EXPECT_TRUE(names().empty());
    auto folder = TemporaryFolder::create_for(target / "");
    ASSERT_TRUE(folder.ok());
    ASSERT_TRUE(durable_replace(folder.value().path() / "index", "x").ok());
    ASSERT_TRUE(folder.value().publish("index").ok());
    EXPECT_TRUE(fs::exists(target / "index"));
    EXPECT_EQ(std::distance(fs::directory_iterator(target.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(Temporaries, AnEmptyFolderMayBeFilled) {
    fs::create_directory(place("model"));
    fs::create_directory_symlink(place("model"), place("link"));
    {
        auto folder = TemporaryFolder::create_for(place("link"));
        ASSERT_TRUE(folder.ok());
        ASSERT_TRUE(durable_replace(folder.value().path() / "index", "x").ok());
    }
    EXPECT_TRUE(fs::is_empty(place("model")));
    auto folder = TemporaryFolder::create_for(place("link"));
    ASSERT_TRUE(folder.ok());
    fs::create_directory(folder.value().path() / "vae");
    ASSERT_TRUE(durable_replace(folder.value().path() / "index", "x").ok());
    ASSERT_TRUE(folder.value().publish("index").ok());
    EXPECT_TRUE(fs::exists(place("model") / "index"));
    EXPECT_TRUE(fs::is_directory(place("model") / "vae"));
    EXPECT_EQ(std::distance(fs::directory_iterator(place("model")), fs::directory_iterator()), 2);
}

TEST_F(Temporaries, AFolderThatIsNotEmptyOrNoFolderIsRefused) {
    fs::create_directory(place("model"));
    put("model/file");
    put("file");
    for (const char* name : {"model", "file"}) {
        const auto folder = TemporaryFolder::create_for(place(name));
        ASSERT_FALSE(folder.ok());
        EXPECT_EQ(folder.error().code, ErrorCode::InvalidRequest);
        EXPECT_NE(folder.error().detail.find(name), std::string::npos);
    }
    EXPECT_EQ(names(), (std::set<std::string>{"file", "model"}));
    const auto below = TemporaryFolder::create_for(place("file") / "model");
    ASSERT_FALSE(below.ok());
    EXPECT_EQ(below.error().code, ErrorCode::WriteFailed);
}

TEST_F(Temporaries, WhatAppearedMeanwhileStaysAndNothingIsLeft) {
    fs::create_directory(place("inside"));
    for (const char* name : {"model", "inside"}) {
        auto folder = TemporaryFolder::create_for(place(name));
        ASSERT_TRUE(folder.ok());
        for (const char* file : {"aaa", "index"}) ASSERT_TRUE(durable_replace(folder.value().path() / file, "x").ok());
        fs::create_directory(place(name));
        put(std::string(name) + "/index");
        const Status status = folder.value().publish("index");
        ASSERT_FALSE(status.ok());
        EXPECT_EQ(status.error().code, ErrorCode::WriteFailed);
        EXPECT_FALSE(fs::exists(place(name) / "aaa"));
    }
    EXPECT_EQ(names(), (std::set<std::string>{"inside", "model"}));
}

TEST_F(Temporaries, FoldersOfAKilledProgramAreRemovedByTheNextForTheSameName) {
    fs::create_directory(place("inside"));
    for (const char* name : {"model", "inside"}) {
        killed_after([&] {
            auto folder = TemporaryFolder::create_for(place(name));
            if (folder) static_cast<void>(durable_replace(folder.value().path() / "index", "x"));
            return folder;
        });
    }
    fs::create_directory(place(".other.0123456789ab.part"));
    EXPECT_EQ(names().size(), 3u);
    for (const char* name : {"model", "inside"}) {
        auto folder = TemporaryFolder::create_for(place(name));
        ASSERT_TRUE(folder.ok()) << folder.error().detail;
        ASSERT_TRUE(folder.value().publish({}).ok());
        EXPECT_TRUE(fs::is_empty(place(name)));
    }
    EXPECT_EQ(names(), (std::set<std::string>{".other.0123456789ab.part", "inside", "model"}));
}

TEST_F(Temporaries, TwoProgramsDoNotFillOneFolder) {
    fs::create_directory(place("inside"));
    const auto first = TemporaryFolder::create_for(place("inside"));
    ASSERT_TRUE(first.ok());
    const auto second = TemporaryFolder::create_for(place("inside"));
    ASSERT_FALSE(second.ok());
    EXPECT_TRUE(fs::exists(first.value().path()));
}

}  // namespace
}  // namespace mirror
