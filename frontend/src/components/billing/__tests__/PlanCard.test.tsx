import { render, screen, fireEvent } from '@testing-library/react'
import { PlanCard } from '../PlanCard'

describe('PlanCard', () => {
  const mockPlan = {
    id: 1,
    name: 'Standard',
    slug: 'standard',
    description: 'For professionals',
    price_cents: 1200,
    price_display: '$12.00/month',
    currency: 'USD',
    video_limit: 50,
    transcription_limit_minutes: 300,
    features: ['50 videos', '5 hours transcription/month'],
    sort_order: 1
  }

  it('renders plan details', () => {
    render(<PlanCard plan={mockPlan} onSelect={() => {}} />)
    expect(screen.getByText('Standard')).toBeInTheDocument()
    expect(screen.getByText('$12.00/month')).toBeInTheDocument()
  })

  it('calls onSelect when button clicked', () => {
    const onSelect = vi.fn()
    render(<PlanCard plan={mockPlan} onSelect={onSelect} />)
    fireEvent.click(screen.getByText('Select Plan'))
    expect(onSelect).toHaveBeenCalled()
  })

  it('disables button for current plan', () => {
    render(<PlanCard plan={mockPlan} onSelect={() => {}} isCurrent={true} />)
    expect(screen.getByText('Current Plan')).toBeDisabled()
  })
})
