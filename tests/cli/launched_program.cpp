#include "tests/cli/launched_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace mirror::cli::testing {

namespace {

struct Pipe {
    Pipe() {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    }
    ~Pipe() {
        ::close(ends[0]);
        close_writer();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    void close_writer() {
        if (ends[1] >= 0) ::close(ends[1]);
        ends[1] = -1;
    }

    std::array<int, 2> ends{-1, -1};
};

pid_t spawn(const std::vector<std::string>& arguments, const LaunchOptions& options, const Pipe& out, const Pipe& err) {
    const auto cache = options.cache.empty() ? std::filesystem::temp_directory_path() : options.cache;
    std::vector<std::string> words{MIRROR_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> settings{"OMP_NUM_THREADS=" + std::to_string(options.threads),
                                      "OMP_WAIT_POLICY=passive",
                                      "HOME=" + cache.string(),
                                      "XDG_CACHE_HOME=" + cache.string(),
                                      "XDG_DATA_HOME=" + cache.string(),
                                      "LC_ALL=C.UTF-8"};
    settings.insert(settings.end(), options.settings.begin(), options.settings.end());
    std::vector<char*> argv, environment;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& setting : settings) environment.push_back(setting.data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, MIRROR_PROGRAM, &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot start the program");
    return child;
}

// False at the end of the stream.
bool read_some(int descriptor, std::string& text) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
}

}  // namespace

Finished launch(const std::vector<std::string>& arguments, const LaunchOptions& options) {
    Pipe out, err;
    const pid_t child = spawn(arguments, options, out, err);
    out.close_writer();
    err.close_writer();
    Finished finished;
    bool interrupted = false;
    std::array<pollfd, 2> streams{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        ::poll(streams.data(), streams.size(), -1);
        if (streams[0].revents != 0 && !read_some(out.ends[0], finished.out)) streams[0].fd = -1;
        if (streams[1].revents != 0 && !read_some(err.ends[0], finished.err)) streams[1].fd = -1;
        for (auto& stream : streams) stream.revents = 0;
        if (interrupted || !options.interrupt || !options.interrupt(finished.out)) continue;
        ::kill(child, SIGINT);
        interrupted = true;
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return finished;
}

}  // namespace mirror::cli::testing
