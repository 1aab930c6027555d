#pragma once

// Finds the face of a drawn person: the people that the built-in model knows, in their pictures and in its clips, which
// the detectors for photographs see one time in three. Its two small models (a histogram-of-gradients detector and a
// shape predictor of dlib) are part of the program; tests/face/train_drawn_faces.cpp makes them.

#include <memory>
#include <vector>

#include "engine/face/face_detector.h"

namespace mirror::face {

class DrawnFaces : public FaceDetector {
public:
    DrawnFaces();
    ~DrawnFaces() override;

    // At most one face, which fills a good part of the picture; nothing in photographs. The box reaches from the chin
    // to the top of the forehead, as the built-in model was trained on.
    std::vector<FaceBox> detect(const Frame& picture) override;
    bool chooses_sizes() const override { return true; }

private:
    struct Models;
    static std::shared_ptr<const Models> load();

    std::shared_ptr<const Models> models_;  // Loaded at first use.
};

}  // namespace mirror::face
