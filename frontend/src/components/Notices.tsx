import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { useText } from "../i18n";
import type { Level } from "../lib/standing";
import { Alert } from "./ui/alert";

interface Notice {
  level: Level;
  text: string;
}

interface Notices {
  notice: Notice | null;
  /** Say what came of something: read out, and the place that the focus goes to when its button is gone. */
  notify: (level: Level, text: string) => void;
  dismiss: () => void;
  focus: () => void;
  place: React.RefObject<HTMLDivElement | null>;
  /** How many there have been. */
  told: React.RefObject<number>;
}

const NoticesContext = createContext<Notices | null>(null);

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [notice, setNotice] = useState<Notice | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const told = useRef(0);
  const notify = useCallback((level: Level, text: string) => {
    told.current += 1;
    setNotice({ level, text });
  }, []);
  const dismiss = useCallback(() => setNotice(null), []);
  const focus = useCallback(() => place.current?.focus(), []);
  const value = useMemo(
    () => ({ notice, notify, dismiss, focus, place, told }),
    [notice, notify, dismiss, focus],
  );
  return <NoticesContext value={value}>{children}</NoticesContext>;
}

export function useNotices(): Notices {
  const notices = useContext(NoticesContext);
  if (!notices) throw new Error("Notices need a <BillingProvider> above them.");
  return notices;
}

/** Where notices appear: in the page from the start, so that screen readers notice what is put into it. */
export function NoticePlace() {
  const t = useText();
  const { notice, dismiss, place } = useNotices();
  return (
    <div
      ref={place}
      role="status"
      tabIndex={-1}
      className={notice ? "mb-6 scroll-mt-6 rounded-xl" : "sr-only"}
    >
      {notice && (
        <Alert level={notice.level} onDismiss={dismiss} dismissLabel={t("page.dismiss")}>
          {notice.text}
        </Alert>
      )}
    </div>
  );
}
