// The log is for bug reports: sentences in a file; where it cannot be written the program goes on.

#include "engine/core/log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/scratch_folder.h"

namespace mirror {
namespace {

std::string content(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

TEST(Log, SentencesReachTheFileWithLevelAndModule) {
    const testing::ScratchFolder scratch;
    const auto file = scratch.path() / "state" / "log.txt";
    start_log(file);
    log(LogLevel::Warning, "session", "Braces {} stay as they are.");
    EXPECT_NE(content(file).find("warning session: Braces {} stay as they are."), std::string::npos) << content(file);
}

TEST(Log, AFileThatCannotBeOpenedIsNoFailure) {
    start_log("/proc/no/such/folder/log.txt");
    EXPECT_NO_THROW(log(LogLevel::Error, "session", "nobody reads this"));
    EXPECT_FALSE(std::filesystem::exists("/proc/no"));
}

TEST(Log, ALongLogKeepsThreeFiles) {
    const testing::ScratchFolder scratch;
    start_log(scratch.path() / "log.txt");
    const std::string sentence(1000, 'x');
    for (int i = 0; i < 5000; ++i) log(LogLevel::Info, "session", sentence);
    const std::filesystem::directory_iterator files(scratch.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 3);
}

}  // namespace
}  // namespace mirror
