import type { ReactNode } from "react";

export function PageFrame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="mx-auto max-w-page px-4 py-8 sm:px-6 sm:py-12">
      <h1 className="mb-7 font-bold text-3xl tracking-tight">{title}</h1>
      {children}
    </div>
  );
}
