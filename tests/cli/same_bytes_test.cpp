// The same command on the same machine gives the same files, for any number of threads.
//
// The tiny model's matrix products are too small for the library to split their sums; what this guards is the program's
// own work: kernels, guidance, samplers, decoding, encoding, names and times in files.

#include <fstream>
#include <iterator>

#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

std::string bytes_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class SameBytes : public CliTest, public ::testing::WithParamInterface<const char*> {
protected:
    // The bytes of the video and of the latents, which carry the recipe.
    std::string generated(int threads) const {
        LaunchOptions options;
        options.cache = cache_.path();
        options.threads = threads;
        const Finished finished = launch({"generate",
                                          "--method",
                                          "none",
                                          "--prompt",
                                          "a man walks",
                                          "--model",
                                          model(),
                                          "--frames",
                                          "9",
                                          "--size",
                                          "64x48",
                                          "--steps",
                                          "3",
                                          "--seed",
                                          "5",
                                          "--precision",
                                          GetParam(),
                                          "--latents",
                                          file("l.safetensors"),
                                          "-o",
                                          file("out.mp4")},
                                         options);
        EXPECT_EQ(finished.code, 0) << finished.err;
        return bytes_of(file("out.mp4")) + bytes_of(file("l.safetensors"));
    }
};

}  // namespace

TEST_P(SameBytes, GenerateDoesNotDependOnTheNumberOfThreads) {
    const std::string once = generated(1);
    ASSERT_GT(once.size(), 1000u);
    for (const int threads : {2, 3}) EXPECT_TRUE(generated(threads) == once) << threads << " threads";
}

INSTANTIATE_TEST_SUITE_P(Precisions, SameBytes, ::testing::Values("fp32", "bf16"));

}  // namespace mirror::cli::testing
