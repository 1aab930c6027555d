#pragma once

// Everything about the shot that the person sets, and the button that makes it.

#include "ui/shot/shot_draft.h"
#include "ui/widgets/panel.h"

class QComboBox;
class QGridLayout;
class QPushButton;

namespace mirror::ui {

class ElidedLabel;
class FramesField;
class NumberField;
class NumberSlider;
class PromptEdit;
class SeedField;
class SizeField;
class WholeField;

class ShotPanel : public Panel {
    Q_OBJECT

public:
    explicit ShotPanel(ModelChoice& model, QWidget* parent = nullptr);

    // What is being typed counts as entered.
    ShotDraft draft() const;
    void apply(const ShotDraft& draft);
    // Empty text enables the button; a sentence disables it and is shown.
    void setObjection(const QString& sentence);

    PromptEdit& prompt() const { return *prompt_; }
    SeedField& seed() const { return *seed_; }
    QPushButton& generateButton() const { return *generate_; }
    QString objection() const;

Q_SIGNALS:
    void changed();
    void modelWanted();
    void generateWanted();

private:
    QWidget* makeForm();
    void addPrompt(QVBoxLayout& column);
    void addIdentity(QVBoxLayout& column);
    void addPicture(QVBoxLayout& column);
    void addModel(QVBoxLayout& column);
    QWidget* makeFooter();
    void connectFields();
    void refreshModel();
    void refreshHints();

    ModelChoice& model_;
    QString shownModel_;  // Whose native size was filled in.
    PromptEdit* prompt_;
    QLabel* advice_;
    QPushButton* negativeChip_;
    PromptEdit* negative_;
    NumberSlider* strength_;
    SizeField* size_;
    FramesField* frames_;
    WholeField* steps_;
    NumberField* guidance_;
    SeedField* seed_;
    QComboBox* sampler_;
    QLabel* length_;
    ElidedLabel* modelName_;
    QLabel* modelFacts_;
    QPushButton* generate_;
    QLabel* objection_;
};

}  // namespace mirror::ui
