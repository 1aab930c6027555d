// From a photograph to its identity vector: OpenCV, dlib and libtorch in one process.

#include <gtest/gtest.h>

#include "engine/face/face_reader.h"
#include "engine/face/face_recognizer.h"
#include "tests/support/deterministic.h"

namespace mirror {
namespace {

const std::filesystem::path astronaut = MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg";

TEST(FaceVector, IsTheSameForTheSamePhotograph) {
    const engine::RecognizerConfig config{16, 8, {8, 8, 8, 8}, {1, 1, 1, 1}, "pocket"};
    const engine::NetworkRecognizer recognizer(engine::testing::deterministic_weights(), config);
    const auto reader = face::make_face_reader();
    std::vector<Frame> faces;
    for (int i = 0; i < 2; ++i) {
        Result<ReferenceFace> reference = reader->reference({astronaut, {}}, ReferenceCrop::SquareFace, 2.0, 112);
        ASSERT_TRUE(reference.ok()) << reference.error().detail;
        faces.push_back(std::move(reference).value().aligned);
    }
    const at::Tensor vectors = recognizer.embed(faces);
    EXPECT_EQ(vectors.sizes(), (at::IntArrayRef{2, 16}));
    EXPECT_TRUE(vectors.isfinite().all().item<bool>());
    EXPECT_TRUE(at::equal(vectors[0], vectors[1]));
}

}  // namespace
}  // namespace mirror
