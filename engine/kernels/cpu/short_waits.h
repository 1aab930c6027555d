#pragma once

// How long the threads of one team turn in a loop while they wait for each other, before they sleep.
//
// libtorch's OpenMP runtime turns for about three milliseconds. On a machine with other programs that is time in which
// the thread that is waited for could have run; with two busy programs on two processors it doubled the time of a clip.
// A hundredth of it is as fast on an idle machine and costs nothing on a busy one.
//
// The runtime reads the number from the environment while the loader initialises it, before any function of ours. A
// program that calls waits_shortly() therefore starts itself once more with GOMP_SPINCOUNT set, before anything is
// initialised (a few milliseconds, the same process). It does not where the user has set GOMP_SPINCOUNT or
// OMP_WAIT_POLICY, where there is one processor or OMP_NUM_THREADS is 1, and in sanitizers' builds. Tools that do not
// follow a program into another one (valgrind) want one of these set.

namespace mirror::kernels {

// Whether the number was in the environment when the program began, from here or from the user.
bool waits_shortly();

// Whether a program with this environment is to start once more.
bool is_to_wait_shortly(const char* const* environment, int processors);

}  // namespace mirror::kernels
