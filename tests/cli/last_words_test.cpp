// How the program ends where it cannot go on: one sentence and exit 1, or the signal for those who want a core file.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

// Whether the process has a handler of its own for the signal.
bool catches(pid_t process, int number) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigCgt:")) return (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1) != 0;
    return false;
}

std::string text_of(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

class LastWordsTest : public CliTest {
protected:
    // Sends the signal to a program that waits for the reader of its log.
    Finished ended_by(int number, const char* core) const {
        const std::string log = file("log"), err = file("err");
        std::filesystem::remove(log);
        EXPECT_EQ(::mkfifo(log.c_str(), 0600), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const rlimit none{0, 0};
            ::setrlimit(RLIMIT_CORE, &none);
            ::setenv("MAGIC_MIRROR_LOG", log.c_str(), 1);
            ::setenv("MAGIC_MIRROR_CORE", core, 1);
            ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
            ::execl(MIRROR_PROGRAM, MIRROR_PROGRAM, "--version", nullptr);
            ::_exit(127);
        }
        for (int i = 0; i < 3000 && !catches(child, number); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ::kill(child, number);
        int status = 0;
        ::waitpid(child, &status, 0);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), "", text_of(err)};
    }
};

TEST_F(LastWordsTest, ASignalBecomesOneSentenceAndExitOne) {
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) {
        const Finished finished = ended_by(number, "");
        EXPECT_EQ(finished.code, 1) << number;
        expect_one_line(finished, "magic-mirror: ");
        EXPECT_EQ(finished.err.find("memory"), std::string::npos) << finished.err;  // Nobody knows that.
    }
}

TEST_F(LastWordsTest, TheSignalFollowsWhereACoreFileIsWanted) {
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) {
        const Finished finished = ended_by(number, "1");
        EXPECT_EQ(finished.code, 128 + number);
        expect_one_line(finished, "magic-mirror: ");
    }
}

}  // namespace mirror::cli::testing
