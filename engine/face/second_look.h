#pragma once

// Decides whether what a detector proposes is a face, and places the landmarks.

#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/face/dlib_faces.h"

namespace mirror::face {

// Looks at each candidate again at several sizes, with the eyes level: a face is found every time and clearly, while
// what only looked like one from afar falls apart. In doubt a detector of another kind is asked. Holds the models,
// loads them at first use. EngineError (MissingFile, MalformedFile) says which one cannot be had.
class SecondLook {
public:
    SecondLook();
    ~SecondLook();
    SecondLook(const SecondLook&) = delete;
    SecondLook& operator=(const SecondLook&) = delete;

    const DlibFaces& dlib();
    // OpenCV's Haar cascade: boxes of at least `smallest` pixels that so many windows agree on. No landmarks, no score.
    std::vector<FaceBox> haar_boxes(const Frame& picture, int neighbours, int smallest);

    // The faces among the candidates, with landmarks and score.
    std::vector<FaceBox> confirm(const Frame& picture, std::vector<FaceBox> candidates);

private:
    struct Models;
    Models& models();
    bool is_face(const Frame& picture, FaceBox& candidate);

    std::unique_ptr<Models> models_;
};

}  // namespace mirror::face
