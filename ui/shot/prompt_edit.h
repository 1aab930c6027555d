#pragma once

// The prompt with its trigger and class word marked. Tab leaves it; files dropped on it belong to somebody else.

#include <QTextEdit>

class QSyntaxHighlighter;

namespace mirror::ui {

class PromptEdit : public QTextEdit {
    Q_OBJECT

public:
    explicit PromptEdit(const QString& name, QWidget* parent = nullptr);

    // Marks what belongs to the person.
    void setMarked();

protected:
    // A picture in the clipboard is for the window: only what this field can take is pasted here.
    bool event(QEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool canInsertFromMimeData(const QMimeData* source) const override;

private:
    void spaceLines();

    QSyntaxHighlighter* marker_ = nullptr;  // Belongs to the document.
};

}  // namespace mirror::ui
