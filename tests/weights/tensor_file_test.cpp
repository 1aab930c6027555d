// Tensors written and read back: every type, odd shapes, strides.

#include "engine/weights/tensor_file.h"

#include <gtest/gtest.h>

#include "engine/core/result.h"
#include "engine/weights/weight_store.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

class TensorFileTest : public ::testing::Test {
protected:
    std::filesystem::path file() const { return scratch_.path() / "tensors.safetensors"; }
    mirror::testing::ScratchFolder scratch_;
};

TEST_F(TensorFileTest, KeepsEveryType) {
    TensorMap tensors;
    for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                            at::kChar, at::kByte, at::kBool}) {
        tensors[c10::toString(type)] = at::arange(-3, 4).to(type);
    }
    tensors["scalar"] = at::scalar_tensor(2.5);
    tensors["empty"] = at::empty({3, 0, 2}, at::kHalf);
    save_tensors(file(), tensors, {{"recipe", "{\"a\": 1}"}});
    const auto again = load_tensor_file(file());
    EXPECT_EQ(again.metadata.at("recipe"), "{\"a\": 1}");
    ASSERT_EQ(again.tensors.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
        EXPECT_EQ(again.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
        EXPECT_EQ(again.tensors.at(name).sizes(), tensor.sizes()) << name;
        EXPECT_TRUE(again.tensors.at(name).equal(tensor)) << name;
    }
}

TEST_F(TensorFileTest, WritesViewsAsTheyLook) {
    const at::Tensor whole = at::arange(24, at::kFloat).reshape({2, 3, 4});
    save_tensors(
        file(), {{"turned", whole.transpose(0, 2)}, {"part", whole.select(1, 1)}, {"wide", at::ones({1}).expand({5})}});
    const auto again = load_tensors(file());
    EXPECT_TRUE(again.at("turned").equal(whole.transpose(0, 2)));
    EXPECT_TRUE(again.at("part").equal(whole.select(1, 1)));
    EXPECT_TRUE(again.at("wide").equal(at::ones({5})));
}

TEST_F(TensorFileTest, WhatIsLoadedMayBeWrittenTo) {
    save_tensors(file(), {{"a", at::ones({3})}});
    at::Tensor a = load_tensors(file()).at("a");
    a.add_(1);
    EXPECT_EQ(a.sum().item<float>(), 6);
    EXPECT_EQ(load_tensors(file()).at("a").sum().item<float>(), 3);
}

TEST_F(TensorFileTest, TheSameTensorsGiveTheSameBytes) {
    const TensorMap tensors = {{"b", at::ones({3})}, {"a", at::zeros({2}, at::kLong)}};
    save_tensors(file(), tensors, {{"k", "v"}});
    const auto first = WeightStore::open(file())->fingerprint();
    save_tensors(file(), tensors, {{"k", "v"}});
    EXPECT_EQ(WeightStore::open(file())->fingerprint(), first);
}

TEST_F(TensorFileTest, ErrorsNameTheFile) {
    const auto refused = [](ErrorCode code, const std::function<void()>& work) {
        try {
            work();
            ADD_FAILURE() << "accepted";
        } catch (const EngineError& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_NE(std::string(error.what()).find("safetensors"), std::string::npos) << error.what();
        }
    };
    refused(ErrorCode::MissingFile, [&] { load_tensors(file()); });
    refused(ErrorCode::WriteFailed, [&] { save_tensors(scratch_.path() / "none" / "x.safetensors", {}); });
    refused(ErrorCode::WriteFailed, [&] { save_tensors(file(), {{"", at::ones({1})}}); });
    EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace mirror::engine
