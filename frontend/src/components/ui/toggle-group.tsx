import { Item, Root } from "@radix-ui/react-toggle-group";

interface ToggleGroupProps<Value extends string> {
  label: string;
  value: Value;
  options: { value: Value; label: string }[];
  onChange: (value: Value) => void;
}

/** One of a few: arrow keys move between them. */
export function ToggleGroup<Value extends string>({
  label,
  value,
  options,
  onChange,
}: ToggleGroupProps<Value>) {
  return (
    <Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(chosen) => chosen && onChange(chosen as Value)}
      className="inline-flex rounded-xl bg-sunken p-1"
    >
      {options.map((option) => (
        <Item
          key={option.value}
          value={option.value}
          className="min-h-9 cursor-pointer rounded-lg px-4 font-semibold text-muted text-sm hover:text-text data-[state=on]:bg-surface data-[state=on]:text-text data-[state=on]:shadow-card"
        >
          {option.label}
        </Item>
      ))}
    </Root>
  );
}
