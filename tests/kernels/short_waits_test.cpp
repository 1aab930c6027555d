// When a program starts once more with shorter waiting, and that it then has it.

#include "engine/kernels/cpu/short_waits.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace mirror::kernels {
namespace {

bool wanted(std::vector<const char*> environment, int processors = 2) {
    environment.push_back(nullptr);
    return is_to_wait_shortly(environment.data(), processors);
}

// The exit code of this very program, asked for one test in an environment of its own.
int exit_code_of(const char* test, std::vector<const char*> environment) {
    environment.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        const char* const arguments[] = {"mirror_kernels_tests", test, "--gtest_also_run_disabled_tests", nullptr};
        ::execve("/proc/self/exe", const_cast<char* const*>(arguments), const_cast<char* const*>(environment.data()));
        ::_exit(127);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ShortWaits, AreWantedUnlessTheUserSaidOtherwise) {
    EXPECT_TRUE(wanted({}));
    EXPECT_TRUE(wanted({"HOME=/", "OMP_NUM_THREADS=12", "OMP_NUM_THREADS_=1"}));
    EXPECT_FALSE(wanted({"HOME=/", "GOMP_SPINCOUNT=300000"}));
    EXPECT_FALSE(wanted({"OMP_WAIT_POLICY=active"}));
}

TEST(ShortWaits, AreForSeveralThreadsOnly) {
    EXPECT_FALSE(wanted({}, 1));
    EXPECT_FALSE(wanted({"OMP_NUM_THREADS=1"}));
}

// Run by the next test in programs of their own.
TEST(ShortWaits, DISABLED_AreThere) { EXPECT_TRUE(waits_shortly()); }
TEST(ShortWaits, DISABLED_AreNotThere) { EXPECT_FALSE(waits_shortly()); }

TEST(ShortWaits, ArriveInTheProgram) {
    const bool possible = ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's build does not start itself again";
#endif
    if (!possible) GTEST_SKIP() << "one processor has no waiting threads";
    EXPECT_EQ(exit_code_of("--gtest_filter=*DISABLED_AreThere", {"HOME=/"}), 0);
    EXPECT_EQ(exit_code_of("--gtest_filter=*DISABLED_AreNotThere", {"OMP_NUM_THREADS=1"}), 0);
    EXPECT_EQ(exit_code_of("--gtest_filter=*DISABLED_AreNotThere", {"OMP_WAIT_POLICY=active"}), 0);
}

}  // namespace
}  // namespace mirror::kernels
