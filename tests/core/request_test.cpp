// Requests survive their JSON, and what is out of range is named as the option that sets it.

#include "engine/core/request.h"

#include <gtest/gtest.h>

#include <clocale>
#include <functional>
#include <limits>

namespace mirror {
namespace {

GenerationRequest full_request() {
    GenerationRequest request;
    request.model = "/models/a b";
    request.adapter = "adapter.safetensors";
    request.prompt = {"a woman img \"smiles\"\n\u00e9\U0001F600", "blurry"};
    request.video = {128, 192, 17, {8, 1}};
    request.sampling = {SamplerKind::Ddim, 20, 6.1, DynamicGuidance::Step, std::numeric_limits<std::uint64_t>::max()};
    request.references = {{"a.jpg", std::nullopt}, {"b.jpg", 2}};
    request.identity = {0.7, 2, 15};
    request.device = "cuda:1";
    request.precision = Precision::Bf16;
    request.decoding = Decoding::Tiles;
    request.memory_budget = std::uint64_t{1} << 40;
    return request;
}

TEST(RequestJson, IsInvertible) {
    const GenerationRequest request = full_request();
    const auto again = request_from_json(request_to_json(request));
    ASSERT_TRUE(again.ok()) << again.error().detail;
    EXPECT_EQ(again.value(), request);
}

TEST(RequestJson, IsTheSameTextForTheSameRequest) {
    EXPECT_EQ(request_to_json(full_request()), request_to_json(full_request()));
    EXPECT_EQ(request_to_json(full_request()).find("{\"adapter\":"), 0u);  // Keys are sorted.
}

TEST(RequestJson, KeepsNamesThatAreNotUtf8) {
    GenerationRequest request = full_request();
    request.references[0].file = std::filesystem::path(std::string("caf\xe9.jpg"));
    const auto again = request_from_json(request_to_json(request));
    ASSERT_TRUE(again.ok()) << again.error().detail;
    EXPECT_EQ(again.value(), request);
}

TEST(RequestJson, DoesNotDependOnTheLocale) {
    const std::string plain = request_to_json(full_request());
    for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) {
        if (std::setlocale(LC_ALL, locale) == nullptr) continue;  // Not installed.
        EXPECT_EQ(request_to_json(full_request()), plain) << locale;
        const auto again = request_from_json(plain);
        EXPECT_TRUE(again.ok() && again.value().sampling.guidance == 6.1) << locale;
    }
    std::setlocale(LC_ALL, "C");
}

TEST(RequestJson, AbsentKeysHaveTheirDefaults) {
    const auto request = request_from_json(R"({"version":1,"model":"m","references":[{"file":"a.jpg"}]})");
    ASSERT_TRUE(request.ok()) << request.error().detail;
    EXPECT_EQ(request.value().sampling, SamplingSpec{});
    EXPECT_EQ(request.value().video, VideoSpec{});
}

struct BadRequest {
    const char* text;
    const char* fragment;
};

class RefusedRequest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(RefusedRequest, IsNamed) {
    const auto result = request_from_json(GetParam().text);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::InvalidRequest);
    EXPECT_NE(result.error().detail.find(GetParam().fragment), std::string::npos) << result.error().detail;
    EXPECT_LT(result.error().detail.size(), 300u);
}

const std::vector<BadRequest> kBadRequests = {
    {"", "not JSON"},
    {"{", "not JSON"},
    {"[]", "it is not an object"},
    {"{}", "version must be 1"},
    {R"({"version":2})", "version must be 1"},
    {R"({"version":1,"verison":1})", "unknown key verison"},
    {R"({"version":1,"version":1})", "version appears twice"},
    {R"({"version":1,"sampling":{"steps":1,"steps":2}})", "steps appears twice"},
    {R"({"version":1,"sampling":{"step":1}})", "unknown key sampling.step"},
    {R"({"version":1,"sampling":{"steps":1.5}})", "sampling.steps is not an integer"},
    {R"({"version":1,"sampling":{"steps":"5"}})", "sampling.steps is not an integer"},
    {R"({"version":1,"sampling":{"steps":99999999999}})", "sampling.steps is not an integer"},
    {R"({"version":1,"sampling":{"seed":-1}})", "sampling.seed is not an integer"},
    {R"({"version":1,"sampling":{"seed":18446744073709551616}})", "sampling.seed is not an integer"},
    {R"({"version":1,"sampling":{"guidance":"6"}})", "sampling.guidance is not a number"},
    {R"({"version":1,"sampling":{"sampler":"euler"}})", "sampling.sampler cannot be euler"},
    {R"({"version":1,"sampling":{"guidance":1e999}})", "number out of range"},
    {R"({"version":1,"sampling":[]})", "sampling is not an object"},
    {R"({"version":1,"method":"faceid"})", "method cannot be faceid"},
    {R"({"version":1,"prompt":{"positive":1}})", "prompt.positive is not a string"},
    {R"({"version":1,"references":{}})", "references is not a list"},
    {R"({"version":1,"references":[{"file":{"hex":"4"}}]})", "references[0].file is not hexadecimal"},
    {R"({"version":1,"references":[{"file":{"hex":"4G"}}]})", "references[0].file is not hexadecimal"},
    {R"({"version":1,"references":[{"file":"a","face":"1"}]})", "references[0].face is not an integer"},
    {R"({"version":1,"model":"m","references":[{"file":"a"}],"sampling":{"steps":0}})", "--steps"},
};

INSTANTIATE_TEST_SUITE_P(RequestJson, RefusedRequest, ::testing::ValuesIn(kBadRequests));

TEST(RequestJson, DeepNestingIsRefused) {
    const std::string deep = R"({"version":1,"prompt":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    EXPECT_NE(request_from_json(deep).error().detail.find("nested too deeply"), std::string::npos);
}

// What check_request says after `change`; empty if it takes it.
std::string complaint(const std::function<void(GenerationRequest&)>& change) {
    GenerationRequest request = full_request();
    change(request);
    const Status status = check_request(request);
    return status.ok() ? "" : status.error().detail;
}

void expect_option(const std::string& sentence, const char* option) {
    EXPECT_EQ(sentence.find(option), 0u) << sentence;
    EXPECT_LT(sentence.size(), 300u);
}

TEST(CheckRequest, Frames) {
    for (const int good : {1, 9, 17, 49, 1025})
        EXPECT_EQ(complaint([=](auto& r) { r.video.frames = good; }), "") << good;
    for (const int bad : {-7, 0, 2, 8, 16, 1024, 1033})
        expect_option(complaint([=](auto& r) { r.video.frames = bad; }), "--frames");
    EXPECT_EQ(complaint([](auto& r) { r.kind = OutputKind::Image, r.video.frames = 1; }), "");
    expect_option(complaint([](auto& r) { r.kind = OutputKind::Image; }), "--frames");
}

TEST(CheckRequest, Size) {
    for (const int good : {16, 720, 8192}) EXPECT_EQ(complaint([=](auto& r) { r.video.width = good; }), "") << good;
    for (const int bad : {-16, 0, 8, 15, 17, 8191, 8208}) {
        expect_option(complaint([=](auto& r) { r.video.width = bad; }), "--size");
        expect_option(complaint([=](auto& r) { r.video.height = bad; }), "--size");
    }
}

TEST(CheckRequest, StepsAndGuidance) {
    for (const int good : {15, 1000}) EXPECT_EQ(complaint([=](auto& r) { r.sampling.steps = good; }), "") << good;
    for (const int bad : {-1, 0, 1001}) expect_option(complaint([=](auto& r) { r.sampling.steps = bad; }), "--steps");
    for (const double good : {0.0, 1.0, 100.0})
        EXPECT_EQ(complaint([=](auto& r) { r.sampling.guidance = good; }), "") << good;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {-0.1, 100.1, nan, 1.0 / 0.0})
        expect_option(complaint([=](auto& r) { r.sampling.guidance = bad; }), "--guidance");
}

TEST(CheckRequest, IdentityStrength) {
    for (const double good : {0.0, 1.5}) EXPECT_EQ(complaint([=](auto& r) { r.identity.value = good; }), "") << good;
    for (const double bad : {-0.1, 1.51, std::numeric_limits<double>::quiet_NaN()}) {
        expect_option(complaint([=](auto& r) { r.identity.value = bad; }), "--identity-strength");
    }
    EXPECT_EQ(complaint([](auto& r) { r.identity = {1, 20, 20}; }), "");
    expect_option(complaint([](auto& r) { r.identity = {1, 0, 20}; }), "--identity-strength");
    expect_option(complaint([](auto& r) { r.identity = {1, 5, 4}; }), "--identity-strength");
    expect_option(complaint([](auto& r) { r.identity = {1, 1, 21}; }), "--identity-strength");
    expect_option(complaint([](auto& r) { r.identity = {1, 21, std::nullopt}; }), "--identity-strength");
}

TEST(CheckRequest, References) {
    expect_option(complaint([](auto& r) { r.references.clear(); }), "--reference");
    EXPECT_EQ(complaint([](auto& r) { r.references.clear(), r.method = Method::None; }), "");
    EXPECT_EQ(complaint([](auto& r) { r.references.resize(4, {"a", std::nullopt}); }), "");
    expect_option(complaint([](auto& r) { r.references.resize(5, {"a", std::nullopt}); }), "--reference");
    expect_option(complaint([](auto& r) { r.references[0].file.clear(); }), "--reference");
    expect_option(complaint([](auto& r) { r.references[0].face = 0; }), "--face");
}

TEST(CheckRequest, WordsAndDevice) {
    expect_option(complaint([](auto& r) { r.prompt.positive = "\xff"; }), "--prompt");
    expect_option(complaint([](auto& r) { r.prompt.negative = "\xff"; }), "--negative");
    expect_option(complaint([](auto& r) { r.model.clear(); }), "--model");
    for (const char* good : {"cpu", "cuda", "cuda:0", "cuda:15"})
        EXPECT_EQ(complaint([=](auto& r) { r.device = good; }), "") << good;
    for (const char* bad : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "CPU", "cpu:0"}) {
        expect_option(complaint([=](auto& r) { r.device = bad; }), "--device");
    }
}

}  // namespace
}  // namespace mirror
