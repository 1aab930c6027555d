#pragma once

// The application of the tests whose threads ThreadSanitizer watches. Qt's own library is not built for that sanitizer,
// which so sees no order between a call that is queued for another thread and its delivery there.

#include <QCoreApplication>

namespace mirror::app {

// Makes each delivery of an event come after everything that was queued before.
class ObservedApplication : public QCoreApplication {
public:
    using QCoreApplication::QCoreApplication;
    bool notify(QObject* receiver, QEvent* event) override;
};

}  // namespace mirror::app
